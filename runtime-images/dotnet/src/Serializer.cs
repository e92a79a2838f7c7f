using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kappa.Runtime
{
    /// <summary>Events and answers that are no streams.</summary>
    internal abstract class Serializer
    {
        /// <summary>What the context's property Serializer answers; null = the package brings none.</summary>
        public virtual object Own => null;

        /// <summary>The one that the method, or else its assembly, names with a LambdaSerializerAttribute; System.Text.Json without one.</summary>
        public static Serializer For(MethodInfo method, Assembly assembly)
        {
            Attribute attribute = method.GetCustomAttributes().Concat(assembly.GetCustomAttributes())
                .FirstOrDefault(each => each.GetType().FullName == "Amazon.Lambda.Core.LambdaSerializerAttribute");
            return attribute == null ? (Serializer)new JsonTexts() : new Brought(attribute);
        }

        public abstract object Read(byte[] payload, Type type);

        public abstract ArraySegment<byte> Write(object answer, Type type);

        /// <summary>System.Text.Json, with the settings of Lambda's own serializer by it.</summary>
        private sealed class JsonTexts : Serializer
        {
            private readonly JsonSerializerOptions options = new JsonSerializerOptions
            {
                PropertyNameCaseInsensitive = true,
                IgnoreNullValues = true,
                Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            };

            public override object Read(byte[] payload, Type type) => JsonSerializer.Deserialize(payload, type, options);

            public override ArraySegment<byte> Write(object answer, Type type) => JsonSerializer.SerializeToUtf8Bytes(answer, type, options);
        }

        /// <summary>An Amazon.Lambda.Core.ILambdaSerializer of the package.</summary>
        private sealed class Brought : Serializer
        {
            private readonly object own;
            private readonly MethodInfo deserialize;
            private readonly MethodInfo serialize;

            public Brought(Attribute attribute)
            {
                string what = attribute.GetType().FullName;
                var type = attribute.GetType().GetProperty("SerializerType")?.GetValue(attribute) as Type;
                if (type == null) throw Refused($"The 'SerializerType' property on attribute class '{what}' is not set.");
                if (type.GetConstructor(Type.EmptyTypes) == null) throw Refused($"The indicated serializer '{type.FullName}' does not define a public zero-parameter constructor.");
                Type contract = type.GetInterface("Amazon.Lambda.Core.ILambdaSerializer");
                deserialize = contract?.GetMethod("Deserialize");
                serialize = contract?.GetMethod("Serialize");
                if (deserialize == null || serialize == null) throw Refused($"The '{type.FullName}' class is invalid: it does not implement the 'ILambdaSerializer' interface.");
                own = Activator.CreateInstance(type);
            }

            public override object Own => own;

            public override object Read(byte[] payload, Type type) => Call(deserialize, type, new MemoryStream(payload, false));

            public override ArraySegment<byte> Write(object answer, Type type)
            {
                var bytes = new MemoryStream();
                Call(serialize, type, answer, bytes);
                return new ArraySegment<byte>(bytes.GetBuffer(), 0, (int)bytes.Length);
            }

            private object Call(MethodInfo method, Type type, params object[] arguments) =>
                method.MakeGenericMethod(type).Invoke(own, BindingFlags.DoNotWrapExceptions, null, arguments, null);

            private static LambdaValidationException Refused(string why) => new LambdaValidationException(why);
        }
    }
}
