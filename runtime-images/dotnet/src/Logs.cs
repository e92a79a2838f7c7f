using System;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kappa.Runtime
{
    /// <summary>Log lines as Lambda's .NET runtime writes them. https://docs.aws.amazon.com/lambda/latest/dg/csharp-logging.html</summary>
    internal static class Logs
    {
        private static readonly string[] Levels = { "Trace", "Debug", "Information", "Warning", "Error", "Critical" };
        private static readonly string[] Labels = { "trce", "dbug", "info", "warn", "fail", "crit" };
        private static readonly JsonWriterOptions Options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

        private static Stream output;
        private static bool isJson;
        private static bool isPlain;
        private static int lowest;

        /// <summary>Of the running invocation; null = none has come yet.</summary>
        public static string RequestId { get; set; }

        /// <summary>From now on what the user's code prints, line by line, has the form that the environment asks for.</summary>
        public static void SetUp()
        {
            isJson = Environment.GetEnvironmentVariable("AWS_LAMBDA_LOG_FORMAT") == "JSON";
            string form = Environment.GetEnvironmentVariable("AWS_LAMBDA_HANDLER_LOG_FORMAT");
            isPlain = string.Equals(form, "Unformatted", StringComparison.OrdinalIgnoreCase);
            string level = Environment.GetEnvironmentVariable("AWS_LAMBDA_LOG_LEVEL") ?? Environment.GetEnvironmentVariable("AWS_LAMBDA_HANDLER_LOG_LEVEL");
            int wanted = LevelOf(level);
            lowest = wanted < 0 ? LevelOf("Information") : wanted;
            output = Console.OpenStandardOutput();
            Console.SetOut(new LineWriter(output, "Information"));
            Console.SetError(new LineWriter(Console.OpenStandardError(), "Error"));
        }

        /// <param name="level">by .NET's name or Lambda's; null = lines that say it themselves. An unknown one is printed as it is</param>
        /// <param name="values">what stands in the message's braces; null = it has none</param>
        public static void Write(string level, string message, Exception error, object[] values) => WriteTo(output, level, message, error, values);

        internal static void WriteTo(Stream stream, string level, string message, Exception error, object[] values)
        {
            int rank = level == null ? -1 : LevelOf(level);
            if (rank >= 0 && rank < lowest) return;
            var template = new MessageTemplate(message ?? "", values);
            byte[] line = isJson
                ? Json(rank < 0 ? level ?? "Information" : Levels[rank], template, error)
                : Text(rank < 0 ? level : Labels[rank], template, error);
            lock (stream) stream.Write(line, 0, line.Length);
        }

        private static byte[] Text(string label, MessageTemplate template, Exception error)
        {
            var line = new StringBuilder();
            if (!isPlain) line.Append(Now()).Append('\t').Append(RequestId).Append('\t');
            if (!isPlain && label != null) line.Append(label).Append('\t');
            line.Append(template.Filled);
            if (error != null) line.Append('\n').Append(error);
            return Encoding.UTF8.GetBytes(line.Append('\n').ToString());
        }

        private static byte[] Json(string level, MessageTemplate template, Exception error)
        {
            var bytes = new MemoryStream();
            using (var json = new Utf8JsonWriter(bytes, Options))
            {
                json.WriteStartObject();
                json.WriteString("timestamp", Now());
                json.WriteString("level", level);
                if (RequestId != null) json.WriteString("requestId", RequestId);
                string trace = Environment.GetEnvironmentVariable("_X_AMZN_TRACE_ID");
                if (!string.IsNullOrEmpty(trace)) json.WriteString("traceId", trace);
                json.WriteString("message", template.Filled);
                template.WriteValues(json);
                if (error != null) WriteError(json, error);
                json.WriteEndObject();
            }
            bytes.WriteByte((byte)'\n');
            return bytes.ToArray();
        }

        private static void WriteError(Utf8JsonWriter json, Exception error)
        {
            json.WriteString("errorType", error.GetType().FullName);
            json.WriteString("errorMessage", error.Message);
            json.WriteStartArray("stackTrace");
            foreach (string line in error.ToString().Split('\n')) json.WriteStringValue(line.Trim());
            json.WriteEndArray();
        }

        private static string Now() => DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

        private static int LevelOf(string name)
        {
            switch (name?.ToUpperInvariant())
            {
                case "INFO": return 2;
                case "WARN": return 3;
                case "FATAL": return 5;
                default: return Array.FindIndex(Levels, each => string.Equals(each, name, StringComparison.OrdinalIgnoreCase));
            }
        }
    }
}
