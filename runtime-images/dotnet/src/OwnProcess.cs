using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Kappa.Runtime
{
    /// <summary>Replaces this process where the waiting one cannot become the function. The agent sees the same process go on.</summary>
    internal static class OwnProcess
    {
        /// <summary>
        /// A handler without `::` names an executable assembly, or a native program, of the package; its own Main talks to the Runtime API.
        /// Returns never.
        /// </summary>
        public static void StartExecutable(string taskRoot, string name)
        {
            string program = Path.Combine(taskRoot, name);
            string assembly = name.EndsWith(".dll", StringComparison.Ordinal) ? program : program + ".dll";
            if (File.Exists(assembly)) Become(Dotnet, Current(), "exec", assembly);
            if (File.Exists(program)) Become(program, Current());
            throw new LambdaValidationException($"executable assembly {assembly} or binary {program} not found.");
        }

        /// <summary>This program again, with the function's own settings of the runtime. Returns never.</summary>
        public static void StartConfigured(string runtimeConfig) =>
            Become(Dotnet, Heap.Tuned(Current()), "exec", "--runtimeconfig", runtimeConfig, Assembly.GetExecutingAssembly().Location, "configured");

        /// <summary>This program again with just this environment, and settings of the heap that .NET takes from there only. Returns never.</summary>
        public static void StartAnew(IReadOnlyDictionary<string, string> environment) =>
            Become(Dotnet, Heap.Tuned(environment), File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0').Skip(1).ToArray());

        /// <summary>The host of this process: RUNTIME/shared/Microsoft.NETCore.App/VERSION belongs to RUNTIME/dotnet.</summary>
        private static string Dotnet => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

        /// <summary>The environment of this process; by now it is the function's, but for empty values.</summary>
        private static Dictionary<string, string> Current() =>
            Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string)entry.Value);

        private static void Become(string program, IReadOnlyDictionary<string, string> environment, params string[] arguments)
        {
            string[] argv = arguments.Prepend(program).Append(null).ToArray();
            string[] variables = environment.Select(entry => entry.Key + "=" + entry.Value).Append(null).ToArray();
            Execute(program, argv, variables);
            throw new LambdaValidationException($"{program} cannot be executed (error {Marshal.GetLastWin32Error()}).");
        }

        [DllImport("libc", EntryPoint = "execve", CharSet = CharSet.Ansi, SetLastError = true)]
        private static extern int Execute(string program, string[] argv, string[] environment);
    }
}
