using System;
using System.Globalization;
using System.IO;
using System.Text;

namespace Kappa.Runtime
{
    /// <summary>A standard stream of the user's code: what is written as a line becomes a log line, the rest goes out as it is.</summary>
    internal sealed class LineWriter : TextWriter
    {
        private readonly Stream stream;
        private readonly string level;

        public LineWriter(Stream stream, string level) : base(CultureInfo.InvariantCulture)
        {
            this.stream = stream;
            this.level = level;
            CoreNewLine = new[] { '\n' };
        }

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] text, int index, int count) => Write(new string(text, index, count));

        public override void Write(ReadOnlySpan<char> text) => Write(new string(text));

        public override void Write(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text ?? "");
            lock (stream) stream.Write(bytes, 0, bytes.Length);
        }

        public override void WriteLine(string line) => Logs.WriteTo(stream, level, line, null, null);

        public override void WriteLine() => WriteLine("");

        public override void WriteLine(char[] text) => WriteLine(new string(text));

        public override void WriteLine(char[] text, int index, int count) => WriteLine(new string(text, index, count));

        public override void WriteLine(ReadOnlySpan<char> text) => WriteLine(new string(text));

        public override void WriteLine(object value) => WriteLine(value is IFormattable known ? known.ToString(null, FormatProvider) : value?.ToString());

        public override void WriteLine(bool value) => WriteLine(value ? "True" : "False");

        public override void WriteLine(char value) => WriteLine(value.ToString());

        public override void WriteLine(decimal value) => WriteLine((object)value);

        public override void WriteLine(double value) => WriteLine((object)value);

        public override void WriteLine(float value) => WriteLine((object)value);

        public override void WriteLine(int value) => WriteLine((object)value);

        public override void WriteLine(uint value) => WriteLine((object)value);

        public override void WriteLine(long value) => WriteLine((object)value);

        public override void WriteLine(ulong value) => WriteLine((object)value);

        public override void WriteLine(string format, object value) => WriteLine(string.Format(FormatProvider, format, value));

        public override void WriteLine(string format, object first, object second) => WriteLine(string.Format(FormatProvider, format, first, second));

        public override void WriteLine(string format, object first, object second, object third) =>
            WriteLine(string.Format(FormatProvider, format, first, second, third));

        public override void WriteLine(string format, params object[] values) => WriteLine(string.Format(FormatProvider, format, values));
    }
}
