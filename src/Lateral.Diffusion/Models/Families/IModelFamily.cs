using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>How models of one kind are published: the keys of their config.json and the names of their tensors.</summary>
internal interface IModelFamily
{
    /// <summary>The <c>model_type</c>s of its config.json; the first is the one that is written.</summary>
    IReadOnlyList<string> Types { get; }

    /// <exception cref="ModelException">a key is missing, or asks for mathematics that is not implemented</exception>
    TransformerSpec Read(ModelConfig config);

    /// <summary>The configuration as released models of the kind store it, so that other tools load what is trained here.</summary>
    JsonObject Write(TransformerSpec spec);

    string Embedding { get; }

    string FinalNorm { get; }

    string Head { get; }

    /// <summary>The full name of a block's parameter.</summary>
    /// <param name="part">one of <see cref="ModelLayout"/>'s, such as <c>q_proj</c></param>
    string Block(int layer, string part);

    /// <summary>The full name of a parameter around the blocks that only some families have.</summary>
    /// <param name="part">one of <see cref="ModulatedLayout"/>'s, such as <c>sigma_in</c></param>
    string Around(string part) => throw new ArgumentOutOfRangeException(nameof(part), part, "no parameter of this family");
}
