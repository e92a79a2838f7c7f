using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;

namespace Kappa.Runtime
{
    /// <summary>The process's environment, as code in .NET, native code and child processes see it.</summary>
    internal static class ProcessEnvironment
    {
        /// <summary>Names with this prefix are the platform's own and never reach user code.</summary>
        private const string Platform = "KAPPA_";

        /// <summary>What this process was started with.</summary>
        public static IReadOnlyDictionary<string, string> Own()
        {
            var own = new Dictionary<string, string>();
            foreach (string entry in Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/environ")).Split('\0'))
            {
                int end = entry.IndexOf('=');
                if (end > 0) own[entry.Substring(0, end)] = entry.Substring(end + 1);
            }
            return own;
        }

        /// <summary>
        /// Makes the environment exactly <paramref name="wanted"/>, without the platform's own names, and its LAMBDA_TASK_ROOT the current
        /// folder: .NET's copy, which its code and child processes have, and the C library's, which native code reads. .NET cannot set a
        /// variable to nothing: then it is started anew.
        /// </summary>
        public static void Become(IReadOnlyDictionary<string, string> wanted)
        {
            Dictionary<string, string> all = wanted.Where(entry => !entry.Key.StartsWith(Platform, StringComparison.Ordinal)).ToDictionary(entry => entry.Key, entry => entry.Value);
            if (all.TryGetValue("LAMBDA_TASK_ROOT", out string taskRoot)) Directory.SetCurrentDirectory(taskRoot);
            IReadOnlyDictionary<string, string> own = Own();
            if (all.Any(entry => entry.Value.Length == 0 && !own.ContainsKey(entry.Key))) OwnProcess.StartAnew(all);
            foreach (string name in own.Keys.Where(name => !all.ContainsKey(name)))
            {
                Environment.SetEnvironmentVariable(name, null);
                Unset(name);
            }
            foreach (KeyValuePair<string, string> entry in all.Where(entry => entry.Value.Length > 0))
            {
                Environment.SetEnvironmentVariable(entry.Key, entry.Value);
                Set(entry.Key, entry.Value, 1);
            }
            TimeZoneInfo.ClearCachedData();
        }

        [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi)]
        private static extern int Set(string name, string value, int overwrite);

        [DllImport("libc", EntryPoint = "unsetenv", CharSet = CharSet.Ansi)]
        private static extern int Unset(string name);
    }
}
