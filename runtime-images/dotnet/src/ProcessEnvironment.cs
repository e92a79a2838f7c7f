using System;
using System.Collections.Generic;
using System.IO;
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
            var all = new Dictionary<string, string>();
            IReadOnlyDictionary<string, string> own = Own();
            bool isPossible = true;
            foreach (KeyValuePair<string, string> entry in wanted)
            {
                if (entry.Key.StartsWith(Platform, StringComparison.Ordinal) || Heap.IsPlatforms(entry.Key, own)) continue;
                all[entry.Key] = entry.Value;
                isPossible &= entry.Value.Length > 0 || own.ContainsKey(entry.Key);
            }
            if (all.TryGetValue("LAMBDA_TASK_ROOT", out string taskRoot)) Directory.SetCurrentDirectory(taskRoot);
            if (!isPossible) OwnProcess.StartAnew(all);
            foreach (string name in own.Keys)
            {
                if (!all.ContainsKey(name)) Change(name, null);
            }
            foreach (KeyValuePair<string, string> entry in all)
            {
                if (entry.Value.Length > 0) Change(entry.Key, entry.Value);
            }
            TimeZoneInfo.ClearCachedData();
        }

        private static void Change(string name, string value)
        {
            Environment.SetEnvironmentVariable(name, value);
            if (value == null) Unset(name);
            else Set(name, value, 1);
        }

        [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi)]
        private static extern int Set(string name, string value, int overwrite);

        [DllImport("libc", EntryPoint = "unsetenv", CharSet = CharSet.Ansi)]
        private static extern int Unset(string name);
    }
}
