using System;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;

namespace Kappa.Runtime
{
    /// <summary>What the package's Amazon.Lambda.Core logs: by the context's ILambdaLogger, and by its static LambdaLogger.</summary>
    internal static class LambdaLogger
    {
        /// <summary>Answers any method of ILambdaLogger by its name and by what its arguments are.</summary>
        public static object Log(MethodInfo member, object[] arguments)
        {
            string level = member.Name.Length > 3 && member.Name != "LogLine" ? member.Name.Substring(3) : null;
            int next = 0;
            if (level == null && arguments.Length > 1 && (arguments[0] is Enum || arguments[0] is string)) level = arguments[next++].ToString();
            Exception error = next < arguments.Length ? arguments[next] as Exception : null;
            if (next < arguments.Length && typeof(Exception).IsAssignableFrom(member.GetParameters()[next].ParameterType)) next++;
            string message = next < arguments.Length ? arguments[next++]?.ToString() : null;
            Logs.Write(level ?? "Information", message, error, next < arguments.Length ? arguments[next] as object[] : null);
            return null;
        }

        /// <summary>
        /// The static logger writes to the standard output by itself; like Lambda's runtime this one puts its own writers into the private
        /// fields that are there for them, as soon as the assembly is loaded.
        /// </summary>
        public static void RedirectIn(AssemblyLoadContext context)
        {
            AppDomain.CurrentDomain.AssemblyLoad += (sender, loaded) =>
            {
                Assembly assembly = loaded.LoadedAssembly;
                if (assembly.GetName().Name != "Amazon.Lambda.Core" || AssemblyLoadContext.GetLoadContext(assembly) != context) return;
                Type logger = assembly.GetType("Amazon.Lambda.Core.LambdaLogger");
                Set(logger, "_loggingAction", new Action<string>(message => Logs.Write(null, message, null, null)));
                Set(logger, "_loggingWithLevelAction", new Action<string, string, object[]>(
                    (level, message, values) => Logs.Write(level, message, null, values)));
                Set(logger, "_loggingWithLevelAndExceptionAction", new Action<string, Exception, string, object[]>(
                    (level, error, message, values) => Logs.Write(level, message, error, values)));
            };
        }

        private static void Set(Type logger, string name, Delegate writer)
        {
            FieldInfo field = logger?.GetField(name, BindingFlags.NonPublic | BindingFlags.Static);
            if (field != null && field.FieldType.IsInstanceOfType(writer)) field.SetValue(null, writer);
        }
    }
}
