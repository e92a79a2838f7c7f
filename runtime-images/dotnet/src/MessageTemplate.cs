using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kappa.Runtime
{
    /// <summary>A log message such as `{count} of {product}` with its values; `{0}` counts places, `{@order}` asks for JSON.</summary>
    internal sealed class MessageTemplate
    {
        private static readonly Regex Hole = new Regex(@"\{(?<json>@?)(?<name>[^{}:,@]+)(,[^{}:]*)?(:(?<format>[^{}]*))?\}", RegexOptions.CultureInvariant);

        private readonly List<(string Name, bool IsJson, object Value)> values = new List<(string, bool, object)>();

        /// <param name="given">null = the message is meant as it is</param>
        public MessageTemplate(string message, object[] given)
        {
            Filled = given == null || given.Length == 0 ? message : Hole.Replace(message, hole => Fill(hole, given));
        }

        /// <summary>The message for people.</summary>
        public string Filled { get; }

        /// <summary>Adds each value under its name.</summary>
        public void WriteValues(Utf8JsonWriter json)
        {
            foreach ((string name, bool isJson, object value) in values.Where(each => each.Value != null))
            {
                json.WritePropertyName(name);
                bool isPlain = value is bool || value is int || value is long || value is double || value is decimal;
                if (isJson || isPlain) JsonSerializer.Serialize(json, value, value.GetType());
                else json.WriteStringValue(Text(value, null));
            }
        }

        private string Fill(Match hole, object[] given)
        {
            string name = hole.Groups["name"].Value.Trim();
            int place = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : values.Count;
            if (place >= given.Length) return hole.Value;
            bool isJson = hole.Groups["json"].Length > 0;
            values.Add((name, isJson, given[place]));
            return isJson ? JsonSerializer.Serialize(given[place]) : Text(given[place], hole.Groups["format"].Value);
        }

        private static string Text(object value, string format) =>
            value is IFormattable known ? known.ToString(format, CultureInfo.InvariantCulture) : Convert.ToString(value, CultureInfo.InvariantCulture);
    }
}
