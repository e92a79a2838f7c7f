using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

namespace Kappa.Runtime
{
    /// <summary>The user's method, ready to be called.</summary>
    internal sealed class Handler
    {
        private const BindingFlags Any = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

        private readonly object target;
        private readonly MethodInfo method;
        private readonly ParameterInfo[] parameters;
        private readonly Serializer serializer;
        private readonly ContextFactory contexts;

        /// <summary>Type of the answer, inside of its Task; typeof(void) = there is none.</summary>
        private readonly Type answerType;
        private readonly PropertyInfo taskResult;

        private Handler(MethodInfo method, object target, Serializer serializer)
        {
            this.method = method;
            this.target = target;
            this.serializer = serializer;
            parameters = method.GetParameters();
            contexts = parameters.Select(each => each.ParameterType).Where(IsContext).Select(type => new ContextFactory(type, serializer)).FirstOrDefault();
            taskResult = ResultOf(method.ReturnType);
            answerType = taskResult?.PropertyType ?? (typeof(Task).IsAssignableFrom(method.ReturnType) ? typeof(void) : method.ReturnType);
        }

        /// <summary>
        /// Loads it and makes the object that it belongs to. What the user's code throws meanwhile passes through; a name that leads nowhere
        /// is a LambdaValidationException.
        /// </summary>
        /// <param name="path">of the assembly</param>
        public static Handler Load(string path, HandlerName name)
        {
            if (!File.Exists(path))
            {
                string file = $"{name.Assembly}, Culture=neutral, PublicKeyToken=null";
                throw new LambdaValidationException($"Could not find the specified handler assembly with the file name '{file}'. The assembly should be located in the root of your uploaded .zip file.");
            }
            var context = new FunctionContext(path);
            LambdaLogger.RedirectIn(context);
            Assembly assembly = context.LoadFromAssemblyPath(path);
            System.Runtime.Loader.AssemblyLoadContext.EnterContextualReflection(assembly); // for all that follows
            Type type = assembly.GetType(name.Type)
                ?? throw new LambdaValidationException($"Unable to load type '{name.Type}' from assembly '{name.Assembly}'.");
            MethodInfo method = MethodOf(type, name);
            Check(method, type);
            object target = null;
            if (method.IsStatic) RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            else target = Activator.CreateInstance(type);
            return new Handler(method, target, Serializer.For(method, assembly));
        }

        /// <summary>Calls the user's code; the answer as it goes out. What the code throws passes through.</summary>
        public ArraySegment<byte> Run(Invocation invocation)
        {
            var arguments = new object[parameters.Length];
            for (int index = 0; index < arguments.Length; index++) arguments[index] = Argument(parameters[index].ParameterType, invocation);
            object answer = method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null);
            if (answer is Task task)
            {
                task.GetAwaiter().GetResult();
                answer = taskResult?.GetValue(task);
            }
            if (answerType == typeof(void)) return Array.Empty<byte>();
            if (typeof(Stream).IsAssignableFrom(answerType)) return Bytes((Stream)answer);
            return serializer.Write(answer, answerType);
        }

        private static bool IsContext(Type type) => type.Name == "ILambdaContext";

        private object Argument(Type type, Invocation invocation)
        {
            if (IsContext(type)) return contexts.Make(invocation);
            if (type.IsAssignableFrom(typeof(MemoryStream)) && type != typeof(object)) return new MemoryStream(invocation.Payload, false);
            return serializer.Read(invocation.Payload, type);
        }

        private static ArraySegment<byte> Bytes(Stream answer)
        {
            if (answer == null) return Array.Empty<byte>();
            using (answer)
            {
                if (answer is MemoryStream memory && memory.TryGetBuffer(out ArraySegment<byte> all)) return all.Slice((int)memory.Position);
                var copy = new MemoryStream();
                answer.CopyTo(copy);
                return new ArraySegment<byte>(copy.GetBuffer(), 0, (int)copy.Length);
            }
        }

        /// <summary>Of Task&lt;T&gt;, also below a type of its own; null for anything else.</summary>
        private static PropertyInfo ResultOf(Type type)
        {
            for (; type != null; type = type.BaseType)
            {
                if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>)) return type.GetProperty("Result");
            }
            return null;
        }

        private static MethodInfo MethodOf(Type type, HandlerName name)
        {
            for (Type owner = type; owner != null; owner = owner.BaseType)
            {
                MethodInfo[] all = owner.GetMethods(Any);
                MethodInfo[] found = all.Where(each => each.Name == name.Method).ToArray();
                if (found.Length == 0) found = all.Where(each => each.ToString() == name.Method).ToArray();
                if (found.Length == 1) return found[0];
                if (found.Length > 1) throw Overloads(name, owner, found);
            }
            string where = $"type '{name.Type}' from assembly '{name.Assembly}'";
            throw new LambdaValidationException($"Unable to find method '{name.Method}' in {where}: Found no methods matching method name '{name.Method}'.");
        }

        private static LambdaValidationException Overloads(HandlerName name, Type type, MethodInfo[] found)
        {
            string all = string.Join("\n", found.Select(each => each.ToString()));
            return new LambdaValidationException($"The method '{name.Method}' in type '{type.FullName}' appears to have a number of overloads. To call this method please specify a complete method signature. Possible candidates are:\n{all}.");
        }

        private static void Check(MethodInfo method, Type type)
        {
            ParameterInfo[] parameters = method.GetParameters();
            bool isAsyncVoid = method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute));
            const string As = "cannot be used as a Lambda Handler";
            string of = $"Method '{method}' of type '{type.FullName}' is not supported: the method has";
            string refused = null;
            if (type.IsGenericType) refused = $"The type '{type.FullName}' {As} type because it is generic.";
            else if (type.IsAbstract && !method.IsStatic) refused = $"The instance method '{method}' {As} because its type '{type.FullName}' is abstract.";
            else if (method.IsGenericMethod) refused = $"The method '{method}' {As} because it is a generic method.";
            else if (isAsyncVoid) refused = $"The method '{method}' {As} because it is an 'async void' method.";
            else if (parameters.Length > 2) refused = $"{of} more than 2 parameters.";
            else if (parameters.Length == 2 && !IsContext(parameters[1].ParameterType)) refused = $"{of} 2 parameters, but the second parameter is not of type 'Amazon.Lambda.Core.ILambdaContext'.";
            if (refused != null) throw new LambdaValidationException(refused);
        }
    }
}
