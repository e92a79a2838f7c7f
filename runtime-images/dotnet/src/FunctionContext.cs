using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Runtime.Loader;

namespace Kappa.Runtime
{
    /// <summary>
    /// Where the function's assemblies live, apart from the runtime's own. What the package's deps.json names (without one: what lies beside
    /// the function) goes before .NET's own assemblies, but for older copies of these.
    /// </summary>
    internal sealed class FunctionContext : AssemblyLoadContext
    {
        private static readonly Dictionary<string, string> Platform = new Dictionary<string, string>();

        private readonly AssemblyDependencyResolver resolver;

        static FunctionContext()
        {
            string paths = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "";
            foreach (string path in paths.Split(':')) Platform[Path.GetFileNameWithoutExtension(path)] = path;
        }

        /// <param name="assembly">full path of the function's</param>
        public FunctionContext(string assembly) => resolver = new AssemblyDependencyResolver(assembly);

        protected override Assembly Load(AssemblyName name)
        {
            string path = resolver.ResolveAssemblyToPath(name);
            return path == null || IsPlatforms(name.Name, path) ? null : LoadFromAssemblyPath(path);
        }

        protected override IntPtr LoadUnmanagedDll(string name)
        {
            string path = resolver.ResolveUnmanagedDllToPath(name);
            return path == null ? IntPtr.Zero : LoadUnmanagedDllFromPath(path);
        }

        private static bool IsPlatforms(string name, string path) =>
            Platform.TryGetValue(name, out string own) && AssemblyName.GetAssemblyName(own).Version >= AssemblyName.GetAssemblyName(path).Version;
    }
}
