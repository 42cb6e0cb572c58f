using Lateral.Diffusion.Models;
using Lateral.Diffusion.RewardModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class RewardModelStoreTests : IDisposable
{
    private static readonly RewardText[] Texts = [TinyReward.Text("31415", "11345"), TinyReward.Text("2", "7")];

    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-reward-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Saved_model_must_give_the_same_rewards_to_the_bit_and_say_where_it_comes_from()
    {
        using var model = TinyReward.Model();
        RewardModelStore.Save(model, _folder, RewardTrainingTests.Info);
        using var loaded = RewardModelStore.Load(_folder, CPU);
        Assert.Equal(model.Of(Texts, 1000), loaded.Of(Texts, 1000));
        Assert.Equal(RewardTrainingTests.Info with { WeightsSha256 = ModelStore.HashOf(_folder) }, RewardModelInfo.Read(_folder));
        Assert.All(loaded.Parameters.Values, parameter => Assert.False(parameter.requires_grad));
        // A head for words would be as large as the vocabulary, and nothing reads it.
        Assert.DoesNotContain(TinyPolicy.Head, loaded.Parameters.Keys);
    }

    [Fact]
    public void Model_that_begins_with_another_must_have_its_weights_and_no_opinion()
    {
        using (var policy = TinyPolicy.FreshModel(new DigitTokenizer(withEnd: true), 4, unmasking: true)) ModelStore.Save(policy, _folder);
        using var begun = RewardModelStore.Of(_folder, CPU);
        using var original = ModelStore.Load(_folder, trainable: false);
        Assert.All(begun.Of(Texts, 1000), reward => Assert.Equal(0, reward));
        Assert.Equal([.. original.Parameters.Keys.Where(name => name != TinyPolicy.Head && !name.StartsWith("unmasking_policy.", StringComparison.Ordinal)), RewardModel.Head], begun.Parameters.Keys);
        Assert.All(begun.Parameters.Where(pair => pair.Key != RewardModel.Head), pair => Assert.Equal(original.Parameters[pair.Key].data<float>().ToArray(), pair.Value.data<float>().ToArray()));
        Assert.All(begun.Parameters.Values, parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Folder_that_is_not_whole_must_be_no_reward_model()
    {
        using var model = TinyReward.Model();
        RewardModelStore.Save(model, _folder, RewardTrainingTests.Info);
        var info = Path.Combine(_folder, RewardModelInfo.File);
        var text = File.ReadAllText(info);

        File.Delete(info);
        Assert.False(RewardModelInfo.Is(_folder));
        Refused("is no reward model: it has no reward_model.json");
        File.WriteAllText(info, text.Replace("\"protocol\": 1", "\"protocol\": 2", StringComparison.Ordinal));
        Refused("speaks protocol 2 and this program 1");
        File.WriteAllText(info, text[..^20]);
        Refused("cannot be read");
        File.WriteAllText(info, "{}");
        Refused("does not describe a reward model");

        // Another training's weights beside this one's description.
        File.WriteAllText(info, text);
        using (var other = TinyReward.Model(seed: 4)) ModelStoreSave(other);
        Refused("the files are of two reward models");

        void Refused(string why) => Assert.Contains(why, Assert.Throws<ModelException>(() => RewardModelStore.Load(_folder, CPU)).Message, StringComparison.Ordinal);

        void ModelStoreSave(RewardModel other)
        {
            var elsewhere = Directory.CreateDirectory(Path.Combine(_folder, "other")).FullName;
            RewardModelStore.Save(other, elsewhere, RewardTrainingTests.Info);
            File.Copy(Path.Combine(elsewhere, ModelStore.WeightsFile), Path.Combine(_folder, ModelStore.WeightsFile), overwrite: true);
        }
    }

    [Fact]
    public void Reward_model_must_not_pass_for_a_language_model_nor_the_other_way_round()
    {
        using var model = TinyReward.Model();
        RewardModelStore.Save(model, _folder, RewardTrainingTests.Info);
        Assert.Contains("reward_head", Assert.Throws<ModelException>(() => ModelStore.Load(_folder)).Message, StringComparison.Ordinal);
        Assert.Contains("1 tensors are missing", Assert.Throws<ModelException>(() => RewardModelStore.Of(_folder, CPU)).Message, StringComparison.Ordinal);
        using var policy = TinyPolicy.Fresh(new DigitTokenizer(withEnd: true));
        Assert.Contains("is no reward model", Assert.Throws<ModelException>(() => RewardModelStore.Load(policy.Folder, CPU)).Message, StringComparison.Ordinal);
    }
}
