using System;
using System.Collections.Generic;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Kappa.Runtime
{
    /// <summary>Makes the handler's ILambdaContext. https://docs.aws.amazon.com/lambda/latest/dg/csharp-context.html</summary>
    internal sealed class ContextFactory
    {
        private readonly Func<Func<MethodInfo, object[], object>, object> make;
        private readonly Serializer serializer;

        /// <param name="type">the interface, as the function's package has it</param>
        public ContextFactory(Type type, Serializer serializer)
        {
            make = Facade.Of(type);
            this.serializer = serializer;
        }

        /// <summary>The context of one invocation.</summary>
        public object Make(Invocation invocation) => make((member, arguments) => Member(member, invocation));

        private object Member(MethodInfo member, Invocation invocation)
        {
            switch (member.Name)
            {
                case "get_AwsRequestId": return invocation.RequestId;
                case "get_InvokedFunctionArn": return invocation.InvokedFunctionArn;
                case "get_TraceId": return invocation.TraceId;
                case "get_TenantId": return invocation.TenantId;
                case "get_FunctionName": return Variable("FUNCTION_NAME");
                case "get_FunctionVersion": return Variable("FUNCTION_VERSION");
                case "get_LogGroupName": return Variable("LOG_GROUP_NAME");
                case "get_LogStreamName": return Variable("LOG_STREAM_NAME");
                case "get_MemoryLimitInMB": return int.Parse(Variable("FUNCTION_MEMORY_SIZE") ?? "0", CultureInfo.InvariantCulture);
                case "get_RemainingTime": return DateTimeOffset.FromUnixTimeMilliseconds(invocation.DeadlineMs) - DateTimeOffset.UtcNow;
                case "get_Serializer": return serializer.Own;
                case "get_Logger": return Facade.Of(member.ReturnType)(LambdaLogger.Log);
                case "get_ClientContext": return Facade.Of(member.ReturnType)(ClientContext(Parse(invocation.ClientContext)));
                case "get_Identity": return Facade.Of(member.ReturnType)(Texts(Parse(invocation.CognitoIdentity), IdentityNames));
                default: return null;
            }
        }

        private static readonly IReadOnlyDictionary<string, string> IdentityNames = new Dictionary<string, string>
        {
            ["get_IdentityId"] = "cognitoIdentityId",
            ["get_IdentityPoolId"] = "cognitoIdentityPoolId",
        };

        private static readonly IReadOnlyDictionary<string, string> ClientNames = new Dictionary<string, string>
        {
            ["get_AppPackageName"] = "app_package_name",
            ["get_AppTitle"] = "app_title",
            ["get_AppVersionCode"] = "app_version_code",
            ["get_AppVersionName"] = "app_version_name",
            ["get_InstallationId"] = "installation_id",
        };

        private static Func<MethodInfo, object[], object> ClientContext(JsonElement json) => (member, arguments) =>
        {
            switch (member.Name)
            {
                case "get_Custom": return Texts(json, "custom");
                case "get_Environment": return Texts(json, "env");
                case "get_Client": return Part(json, "client") is JsonElement client ? Facade.Of(member.ReturnType)(Texts(client, ClientNames)) : null;
                default: return null;
            }
        };

        private static Func<MethodInfo, object[], object> Texts(JsonElement json, IReadOnlyDictionary<string, string> names) =>
            (member, arguments) => names.TryGetValue(member.Name, out string name) && Part(json, name) is JsonElement value ? value.ToString() : null;

        private static Dictionary<string, string> Texts(JsonElement json, string name)
        {
            if (!(Part(json, name) is JsonElement part) || part.ValueKind != JsonValueKind.Object) return null;
            var texts = new Dictionary<string, string>();
            foreach (JsonProperty each in part.EnumerateObject()) texts[each.Name] = each.Value.ToString();
            return texts;
        }

        private static JsonElement? Part(JsonElement json, string name) =>
            json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement part) && part.ValueKind != JsonValueKind.Null ? part : (JsonElement?)null;

        private static JsonElement Parse(string json) => json == null ? default : JsonDocument.Parse(json).RootElement;

        private static string Variable(string name) => Environment.GetEnvironmentVariable("AWS_LAMBDA_" + name);
    }
}
