using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;

namespace Kappa.Runtime
{
    /// <summary>
    /// The agent's Runtime API over one kept-alive connection. Own HTTP/1.1 code: HttpClient costs each waiting pod memory and each call
    /// a change of threads. One request at a time; throws IOException or SocketException when the agent is gone or talks nonsense.
    /// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    /// </summary>
    internal sealed class RuntimeApi
    {
        private const string Invocations = "/2018-06-01/runtime/invocation";
        private readonly string address;
        private HttpConnection connection;

        /// <param name="address">HOST:PORT</param>
        public RuntimeApi(string address) => this.address = address ?? "127.0.0.1:9001";

        /// <summary>Waits for the next invocation, without a time limit.</summary>
        public Invocation Next()
        {
            HttpReply reply = Ask("GET " + Invocations + "/next", null, "");
            if (reply.Status != 200) throw new IOException("runtime API: next answered " + reply.Status);
            return new Invocation(reply.Headers, reply.Body);
        }

        /// <summary>Posts the answer. A refusal (too large, too late) is the agent's to report, so the status is not looked at.</summary>
        public void Respond(Invocation invocation, ArraySegment<byte> answer) =>
            Ask("POST " + Invocations + "/" + invocation.RequestId + "/response", answer, "Content-Type: application/json\r\n" + Attempt(invocation));

        /// <summary>Posts an error as the answer.</summary>
        public void Fail(Invocation invocation, byte[] body, string type) =>
            Ask("POST " + Invocations + "/" + invocation.RequestId + "/error", body, ErrorHeaders(type) + Attempt(invocation));

        /// <summary>Says that the handler could not be loaded.</summary>
        public void FailInit(byte[] body, string type) => Ask("POST /2018-06-01/runtime/init/error", body, ErrorHeaders(type));

        /// <summary>Waits until this generic process is given a function, without a time limit; JSON.</summary>
        public byte[] Claim()
        {
            HttpReply reply = Ask("GET /kappa/v1/claim", null, "");
            if (reply.Status != 200) throw new IOException("runtime API: claim answered " + reply.Status);
            return reply.Body;
        }

        private static string Attempt(Invocation invocation) =>
            invocation.Id == null ? "" : "Lambda-Runtime-Invocation-Id: " + invocation.Id + "\r\n";

        /// <summary>A header takes visible ASCII only; the name of a type can be anything.</summary>
        private static string ErrorHeaders(string type)
        {
            var visible = new StringBuilder();
            foreach (char each in type) visible.Append(each > ' ' && each < '\x7f' ? each : '?');
            return "Content-Type: application/vnd.aws.lambda.error+json\r\nLambda-Runtime-Function-Error-Type: " + visible + "\r\n";
        }

        private HttpReply Ask(string line, ArraySegment<byte>? body, string headers)
        {
            connection ??= new HttpConnection(address);
            string length = body is ArraySegment<byte> known ? "Content-Length: " + known.Count + "\r\n" : "";
            connection.Send(line + " HTTP/1.1\r\nHost: " + address + "\r\n" + headers + length + "\r\n", body ?? default);
            HttpReply reply = connection.Receive();
            if (reply.Headers.TryGetValue("connection", out string what) && what == "close")
            {
                connection.Dispose();
                connection = null;
            }
            return reply;
        }
    }
}
