using System;
using System.Linq;
using System.Net.Http;
using System.Threading.Tasks;

/// <summary>A program that talks to the Runtime API by itself, as one with AWS's Amazon.Lambda.RuntimeSupport does.</summary>
public static class Executable
{
    public static async Task Main()
    {
        var client = new HttpClient();
        string api = "http://" + Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";
        while (true)
        {
            HttpResponseMessage next = await client.GetAsync(api + "next");
            string id = next.Headers.GetValues("Lambda-Runtime-Aws-Request-Id").Single();
            string answer = "\"" + Environment.GetEnvironmentVariable("COLOUR") + " " + AppDomain.CurrentDomain.FriendlyName + "\"";
            await client.PostAsync(api + id + "/response", new StringContent(answer));
        }
    }
}
