using System;
using System.Collections.Generic;
using System.Globalization;

namespace Kappa.Runtime
{
    /// <summary>
    /// Keeps the managed heap below the function's memory. Its largest size is fixed when the process starts, before the function is known,
    /// at what the largest function may have (runtimeconfig.json); .NET 8 and later can lower it afterwards. Garbage is collected for each
    /// 4 MiB of new objects, or more where much survives: .NET's own measure, the processor's cache, would fill the smallest functions.
    /// </summary>
    internal static class Heap
    {
        /// <summary>Hexadecimal bytes. .NET takes it from the environment only.</summary>
        private const string Name = "DOTNET_GCgen0size";
        private const string Bytes = "400000";

        /// <summary>Says that the value is the platform's and no function's.</summary>
        private const string Mark = "KAPPA_TUNED";

        /// <summary>Part of the memory that the heap may fill: what .NET itself takes of a container's.</summary>
        private const double Part = 0.75;

        /// <summary>Whether .NET was started with the setting, the platform's or the function's own.</summary>
        public static bool IsTuned => Environment.GetEnvironmentVariable(Name) != null;

        /// <summary>The environment with the setting.</summary>
        public static IReadOnlyDictionary<string, string> Tuned(IReadOnlyDictionary<string, string> environment)
        {
            if (environment.ContainsKey(Name)) return environment;
            return new Dictionary<string, string>(environment) { [Name] = Bytes, [Mark] = "1" };
        }

        /// <summary>Whether the function must not see the variable.</summary>
        public static bool IsPlatforms(string name, IReadOnlyDictionary<string, string> started) => name == Name && started.ContainsKey(Mark);

        /// <param name="memoryMiB">of the function; null = not known</param>
        public static void StayBelow(string memoryMiB)
        {
            if (memoryMiB == null) return;
            var limit = (ulong)(double.Parse(memoryMiB, CultureInfo.InvariantCulture) * 1048576 * Part);
            AppDomain.CurrentDomain.SetData("GCHeapHardLimit", limit);
            typeof(GC).GetMethod("RefreshMemoryLimit")?.Invoke(null, null);
        }
    }
}
