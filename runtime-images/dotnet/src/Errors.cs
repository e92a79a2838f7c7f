using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kappa.Runtime
{
    /// <summary>A handler or package that Lambda's runtime refuses, by the name that it has there.</summary>
    internal sealed class LambdaValidationException : Exception
    {
        public LambdaValidationException(string message) : base(message) { }
    }

    /// <summary>What the caller of a failed function gets.</summary>
    internal static class Errors
    {
        /// <summary>Causes are told as deep as this.</summary>
        private const int DepthMax = 10;
        private const int BytesMax = 256 * 1024;
        private static readonly JsonWriterOptions Options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

        /// <summary>Ends of traces that are not the user's.</summary>
        private static readonly string[] Inner =
        {
            "at Kappa.Runtime.", "at System.Reflection.", "at System.RuntimeMethodHandle.", "at System.RuntimeType.", "at System.Activator.",
            "at InvokeStub_", "---",
        };

        /// <summary>Value of the header Lambda-Runtime-Function-Error-Type, and the body's errorType.</summary>
        public static string TypeOf(Exception error) => error.GetType().Name;

        /// <summary>As it is logged.</summary>
        public static string TextOf(Exception error) => Ask(error.ToString, TypeOf(error));

        /// <summary>The error object on the wire, JSON of at most 256 KiB.</summary>
        public static byte[] Body(Exception error)
        {
            using (var bytes = new MemoryStream())
            {
                using (var json = new Utf8JsonWriter(bytes, Options)) Write(json, error, 0);
                if (bytes.Length <= BytesMax) return bytes.ToArray();
            }
            return Encoding.UTF8.GetBytes("{\"errorMessage\": \"Exception exceeded maximum payload size of 256KB.\"}");
        }

        /// <summary>The lines of the trace, without the runtime's own below the user's code.</summary>
        internal static IEnumerable<string> TraceOf(Exception error)
        {
            List<string> lines = Ask(() => error.StackTrace ?? "", "").Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).ToList();
            int end = lines.Count;
            while (end > 0 && Inner.Any(start => lines[end - 1].StartsWith(start, StringComparison.Ordinal))) end--;
            return lines.Take(end);
        }

        private static void Write(Utf8JsonWriter json, Exception error, int depth)
        {
            json.WriteStartObject();
            json.WriteString("errorType", Text(TypeOf(error)));
            json.WriteString("errorMessage", Text(Ask(() => error.Message, TypeOf(error))));
            json.WriteStartArray("stackTrace");
            foreach (string line in TraceOf(error)) json.WriteStringValue(Text(line));
            json.WriteEndArray();
            if (error.InnerException != null && depth < DepthMax)
            {
                json.WritePropertyName("cause");
                Write(json, error.InnerException, depth + 1);
            }
            if (error is AggregateException several && depth < DepthMax)
            {
                json.WriteStartArray("causes");
                foreach (Exception each in several.InnerExceptions) Write(json, each, depth + 1);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }

        /// <summary>An exception of the user's may throw when it is asked.</summary>
        private static string Ask(Func<string> what, string otherwise)
        {
            try
            {
                return what();
            }
            catch (Exception)
            {
                return otherwise;
            }
        }

        /// <summary>A message can be anything; JSON takes whole characters only.</summary>
        private static string Text(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));
    }
}
