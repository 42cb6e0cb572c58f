using System.Text;

namespace Lateral.Configuration;

/// <summary>
/// The one JSON text of a resolved config: keys sorted by code unit, numbers as written, no white space. Two configs that mean
/// the same print the same, whatever files they came from, so the text can be hashed, compared and given to Akka.
/// </summary>
public static class CanonicalJson
{
    /// <param name="value">Any resolved value.</param>
    /// <param name="indented">Two spaces per level and one key per line, for people.</param>
    /// <param name="sorted">False keeps the order of the files, for people.</param>
    public static string Write(ConfigValue value, bool indented = false, bool sorted = true)
    {
        var to = new StringBuilder();
        new Writer(to, indented, sorted).Write(value, 0);
        return to.ToString();
    }

    private readonly record struct Writer(StringBuilder To, bool Indented, bool Sorted)
    {
        public void Write(ConfigValue value, int depth)
        {
            switch (value)
            {
                case ConfigScalar { Kind: ScalarKind.Null }: To.Append("null"); break;
                case ConfigScalar { Kind: ScalarKind.Number or ScalarKind.Boolean } s: To.Append(s.Text); break;
                case ConfigScalar s: JsonText.Quote(To, s.Text); break;
                case ConfigArray a: WriteArray(a, depth); break;
                case ConfigObject o: WriteObject(o, depth); break;
                default: throw new ArgumentException($"no JSON form for {value.GetType().Name}", nameof(value));
            }
        }

        private void WriteArray(ConfigArray array, int depth)
        {
            To.Append('[');
            for (var i = 0; i < array.Items.Count; i++)
            {
                if (i > 0) To.Append(',');
                Break(depth + 1);
                Write(array.Items[i], depth + 1);
            }

            if (array.Items.Count > 0) Break(depth);
            To.Append(']');
        }

        private void WriteObject(ConfigObject obj, int depth)
        {
            To.Append('{');
            var first = true;
            foreach (var (key, value) in Sorted ? obj.Fields.OrderBy(f => f.Key, StringComparer.Ordinal) : obj.Fields.AsEnumerable())
            {
                if (!first) To.Append(',');
                first = false;
                Break(depth + 1);
                JsonText.Quote(To, key);
                To.Append(Indented ? ": " : ":");
                Write(value, depth + 1);
            }

            if (!first) Break(depth);
            To.Append('}');
        }

        private void Break(int depth)
        {
            if (Indented) To.Append('\n').Append(' ', 2 * depth);
        }
    }
}
