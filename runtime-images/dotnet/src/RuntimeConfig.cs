using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Kappa.Runtime
{
    /// <summary>ASSEMBLY.runtimeconfig.json of a package: what the function asks of .NET.</summary>
    internal sealed class RuntimeConfig
    {
        private const string OwnFramework = "Microsoft.NETCore.App";

        /// <summary>Settings that .NET reads once, before any code.</summary>
        private static readonly string[] Early = { "System.GC.", "System.Runtime.Tiered", "System.Globalization.", "System.Threading.ThreadPool." };

        private readonly List<JsonProperty> settings = new List<JsonProperty>();
        private readonly List<string> frameworks = new List<string>();

        private RuntimeConfig(string path)
        {
            Path = path;
            JsonElement options = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("runtimeOptions");
            if (options.TryGetProperty("framework", out JsonElement framework)) frameworks.Add(framework.GetProperty("name").GetString());
            if (options.TryGetProperty("frameworks", out JsonElement several))
            {
                frameworks.AddRange(several.EnumerateArray().Select(each => each.GetProperty("name").GetString()));
            }
            if (options.TryGetProperty("configProperties", out JsonElement properties)) settings.AddRange(properties.EnumerateObject());
        }

        public string Path { get; }

        /// <summary>The package's; null = it has none.</summary>
        public static RuntimeConfig Of(string folder, string assembly)
        {
            string path = System.IO.Path.Combine(folder, assembly + ".runtimeconfig.json");
            return File.Exists(path) ? new RuntimeConfig(path) : null;
        }

        /// <summary>The waiting process cannot take it over. A layer's store has folders that are named after the function's framework.</summary>
        public bool NeedsOwnProcess =>
            frameworks.Any(name => name != OwnFramework)
            || settings.Any(each => Early.Any(start => each.Name.StartsWith(start, StringComparison.Ordinal)))
            || Environment.GetEnvironmentVariable("DOTNET_SHARED_STORE") != null;

        /// <summary>Takes over what can be.</summary>
        public void Apply()
        {
            foreach (JsonProperty each in settings)
            {
                bool isSwitch = each.Value.ValueKind == JsonValueKind.True || each.Value.ValueKind == JsonValueKind.False;
                if (isSwitch) AppContext.SetSwitch(each.Name, each.Value.GetBoolean());
                else AppDomain.CurrentDomain.SetData(each.Name, each.Value.ToString());
            }
        }
    }
}
