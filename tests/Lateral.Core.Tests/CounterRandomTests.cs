using CsCheck;

namespace Lateral.Core.Tests;

public class CounterRandomTests
{
    /// <summary>The known-answer vectors that Random123 publishes for philox4x32-10 (kat_vectors).</summary>
    [Theory]
    [InlineData(0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)]
    [InlineData(
        0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)]
    [InlineData(
        0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)]
    public void Philox_must_match_the_published_vectors(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint r0, uint r1, uint r2, uint r3) =>
        Assert.Equal((r0, r1, r2, r3), CounterRandom.Philox(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void Bits_must_be_the_low_words_of_the_block_at_the_packed_counter()
    {
        const long group = 0x1234_5678_9ABC;
        var (r0, r1, _, _) = CounterRandom.Philox(
            0x5678_9ABC, 0x1234_BEEF, 0xABCDE001, 0x1234567F, 0x89AB_CDEF, 0x0123_4567);
        var bits = new CounterRandom(0x0123_4567_89AB_CDEF).Bits(RandomStream.Token, group, 0xBEEF, 0xABCDE, 0x123456, 0x7F);
        Assert.Equal((ulong)r1 << 32 | r0, bits);
        Assert.Equal(0xE169C58D_6627E8D5UL, new CounterRandom(0).Bits(default, 0));
    }

    [Theory]
    [InlineData(-1, 0, 0, 0, 0)]
    [InlineData(1L << 48, 0, 0, 0, 0)]
    [InlineData(0, -1, 0, 0, 0)]
    [InlineData(0, 1 << 16, 0, 0, 0)]
    [InlineData(0, 0, -1, 0, 0)]
    [InlineData(0, 0, 1 << 20, 0, 0)]
    [InlineData(0, 0, 0, -1, 0)]
    [InlineData(0, 0, 0, 1 << 24, 0)]
    [InlineData(0, 0, 0, 0, -1)]
    [InlineData(0, 0, 0, 0, 256)]
    public void Bits_must_refuse_a_coordinate_outside_its_field(long group, int sibling, int step, int position, int draw)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(
            () => new CounterRandom(1).Bits(RandomStream.Token, group, sibling, step, position, draw));
        Assert.Contains($"group {group}, sibling {sibling}, step {step}, position {position}, draw {draw}", error.Message);
    }

    [Fact]
    public void Bits_must_accept_the_largest_coordinates()
    {
        var random = new CounterRandom(ulong.MaxValue);
        const long group = (1L << 48) - 1;
        var (r0, r1, _, _) = CounterRandom.Philox(
            uint.MaxValue, uint.MaxValue, 0xFFFFF00A, uint.MaxValue, uint.MaxValue, uint.MaxValue);
        Assert.Equal(
            (ulong)r1 << 32 | r0, random.Bits(RandomStream.Initialization, group, 0xFFFF, (1 << 20) - 1, (1 << 24) - 1, 255));
    }

    [Fact]
    public void Bits_must_be_a_pure_function_of_seed_and_coordinate() =>
        Gen.Select(Gen.ULong, Gen.Long[0, (1L << 48) - 1], Gen.Int[0, 0xFFFF], Gen.Int[0, (1 << 20) - 1], Gen.Int[0, (1 << 24) - 1])
            .Sample((seed, group, sibling, step, position) =>
                new CounterRandom(seed).Bits(RandomStream.Prompt, group, sibling, step, position)
                == new CounterRandom(seed).Bits(RandomStream.Prompt, group, sibling, step, position));

    [Fact]
    public void Bits_must_differ_between_neighbouring_coordinates_of_every_field()
    {
        var random = new CounterRandom(7);
        var seen = new HashSet<ulong>();
        foreach (var stream in Enum.GetValues<RandomStream>())
            for (var i = 0; i < 1 << 10; i++)
                Assert.True(seen.Add(random.Bits(stream, i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6 & 3, i >> 8 & 3)));
    }

    /// <summary>Pearson's statistic of 16 bins has mean 15 and standard deviation 5.5: 37.7 is its .1 % quantile.</summary>
    [Theory]
    [InlineData("group")]
    [InlineData("position")]
    [InlineData("seed")]
    public void Uniform_must_fill_its_range_evenly_along_every_axis(string axis)
    {
        const int draws = 160_000, bins = 16;
        var counts = new int[bins];
        var (sum, product, previous) = (0.0, 0.0, 0.5);
        for (var i = 0; i < draws; i++)
        {
            var u = axis switch
            {
                "group" => new CounterRandom(3).Uniform(RandomStream.Token, i),
                "position" => new CounterRandom(3).Uniform(RandomStream.Token, 0, position: i),
                _ => new CounterRandom((ulong)i).Uniform(RandomStream.Token, 0),
            };
            Assert.InRange(u, 0, 1 - 1.0 / (1UL << 53));
            counts[(int)(u * bins)]++;
            sum += u;
            product += (u - .5) * (previous - .5);
            previous = u;
        }

        const double expected = (double)draws / bins;
        Assert.InRange(counts.Sum(count => (count - expected) * (count - expected) / expected), 1, 37.7);
        Assert.InRange(sum / draws, .5 - .003, .5 + .003);
        Assert.InRange(product / draws, -.0009, .0009);
    }

    [Fact]
    public void Below_must_reach_every_value_of_its_bound_equally_often()
    {
        var random = new CounterRandom(11);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++) counts[random.Below(7, RandomStream.Prompt, i)]++;
        Assert.All(counts, count => Assert.InRange(count, 10_000 - 400, 10_000 + 400));
    }

    [Fact]
    public void Below_must_be_the_floor_of_bound_times_uniform()
    {
        var random = new CounterRandom(5);
        for (var i = 0; i < 10_000; i++)
            Assert.Equal((int)(1000 * random.Uniform(RandomStream.Prompt, i)), random.Below(1000, RandomStream.Prompt, i));
    }

    [Fact]
    public void Normal_must_have_the_moments_of_a_standard_normal()
    {
        var random = new CounterRandom(2);
        const int draws = 200_000;
        var (m1, m2, m3, m4) = (0.0, 0.0, 0.0, 0.0);
        for (var i = 0; i < draws; i++)
        {
            var z = random.Normal(RandomStream.Initialization, i);
            m1 += z / draws;
            m2 += z * z / draws;
            m3 += z * z * z / draws;
            m4 += z * z * z * z / draws;
        }

        Assert.InRange(m1, -.01, .01);
        Assert.InRange(m2, .985, 1.015);
        Assert.InRange(m3, -.04, .04);
        Assert.InRange(m4, 2.9, 3.1);
    }
}
