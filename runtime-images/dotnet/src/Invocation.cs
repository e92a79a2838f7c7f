using System.Collections.Generic;
using System.Globalization;

namespace Kappa.Runtime
{
    /// <summary>One invocation as the agent hands it out.</summary>
    internal sealed class Invocation
    {
        private readonly IReadOnlyDictionary<string, string> headers;

        /// <param name="headers">names in lower case</param>
        /// <param name="payload">the event, JSON</param>
        public Invocation(IReadOnlyDictionary<string, string> headers, byte[] payload)
        {
            this.headers = headers;
            Payload = payload;
        }

        public byte[] Payload { get; }
        public string RequestId => Header("aws-request-id");

        /// <summary>Of this attempt, to be said with its answer; null = the agent gives none.</summary>
        public string Id => Header("invocation-id");
        public string TraceId => Header("trace-id");
        public string InvokedFunctionArn => Header("invoked-function-arn");
        public string TenantId => Header("aws-tenant-id");

        /// <summary>JSON; null = the caller gave none.</summary>
        public string ClientContext => Header("client-context");

        /// <summary>JSON; null = the caller is nobody of Cognito's.</summary>
        public string CognitoIdentity => Header("cognito-identity");

        /// <summary>When it times out, milliseconds since 1970.</summary>
        public long DeadlineMs => long.Parse(Header("deadline-ms") ?? "0", CultureInfo.InvariantCulture);

        private string Header(string name) => headers.TryGetValue("lambda-runtime-" + name, out string value) ? value : null;
    }
}
