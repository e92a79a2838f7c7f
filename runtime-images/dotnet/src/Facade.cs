using System;
using System.Linq;
using System.Reflection;

namespace Kappa.Runtime
{
    /// <summary>
    /// Implements an interface of the function's package, of which the runtime knows names only: whatever version of Amazon.Lambda.Core
    /// the package brings, its members are answered by name.
    /// </summary>
    public class Facade : DispatchProxy
    {
        private static readonly MethodInfo Creator =
            typeof(DispatchProxy).GetMethods().Single(each => each.Name == nameof(Create) && each.GetGenericArguments().Length == 2);

        private Func<MethodInfo, object[], object> answer;

        /// <summary>Gives a maker of objects that implement <paramref name="type"/>.</summary>
        internal static Func<Func<MethodInfo, object[], object>, object> Of(Type type)
        {
            var create = (Func<object>)Creator.MakeGenericMethod(type, typeof(Facade)).CreateDelegate(typeof(Func<object>));
            return answer =>
            {
                object made = create();
                ((Facade)made).answer = answer;
                return made;
            };
        }

        /// <summary>Called by each member. A value that does not fit is none.</summary>
        protected override object Invoke(MethodInfo member, object[] arguments)
        {
            object value = answer(member, arguments);
            if (value != null && member.ReturnType.IsInstanceOfType(value)) return value;
            return member.ReturnType.IsValueType && member.ReturnType != typeof(void) ? Activator.CreateInstance(member.ReturnType) : null;
        }
    }
}
