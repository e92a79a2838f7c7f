using System;
using System.Globalization;

namespace Kappa.Runtime
{
    /// <summary>
    /// Keeps the managed heap below the function's memory. Its largest size is fixed when the process starts, before the function is known,
    /// at what the largest function may have (runtimeconfig.json); .NET 8 and later can lower it afterwards.
    /// </summary>
    internal static class Heap
    {
        /// <summary>Part of the memory that the heap may fill: what .NET itself takes of a container's.</summary>
        private const double Part = 0.75;

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
