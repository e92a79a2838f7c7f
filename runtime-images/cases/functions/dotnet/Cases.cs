using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Amazon.Lambda.Core;

namespace Cases
{
    /// <summary>What a case throws on purpose.</summary>
    public class OwnError : Exception
    {
        public OwnError(string message) : base(message) { }
    }

    /// <summary>The cases in C#.</summary>
    public class Function
    {
        private int count;

        public Function()
        {
            if (Environment.GetEnvironmentVariable("INIT") == "fail") throw new InvalidOperationException("not today");
            if (Environment.GetEnvironmentVariable("INIT") == "exit") Environment.Exit(3);
        }

        public async Task<object> Handle(JsonElement given, ILambdaContext context)
        {
            switch (given.GetProperty("do").GetString())
            {
                case "echo":
                    return given;
                case "context":
                    return new
                    {
                        requestId = context.AwsRequestId,
                        functionName = context.FunctionName,
                        functionVersion = context.FunctionVersion,
                        memory = context.MemoryLimitInMB,
                        arn = context.InvokedFunctionArn,
                        logGroup = context.LogGroupName,
                        logStream = context.LogStreamName,
                        remainingMs = context.RemainingTime.TotalMilliseconds,
                        caller = context.ClientContext.Custom["name"],
                        folder = Directory.GetCurrentDirectory(),
                    };
                case "environment":
                    return Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string)entry.Value);
                case "throw":
                    throw new OwnError("on purpose: ü");
                case "exit":
                    Environment.Exit(3);
                    return null;
                case "sleep":
                    await Task.Delay(60_000);
                    return null;
                case "log":
                    Console.WriteLine("printed ü");
                    Console.Error.WriteLine("to standard error");
                    return null;
                case "large":
                    return new string('x', given.GetProperty("bytes").GetInt32() - 2);
                case "layer":
                    using (Process greet = Process.Start(new ProcessStartInfo("greet") { RedirectStandardOutput = true }))
                        return (await greet.StandardOutput.ReadToEndAsync()).Trim();
                case "tmp":
                    string file = Path.Combine(Path.GetTempPath(), "lines");
                    File.AppendAllText(file, "line\n");
                    return File.ReadAllLines(file).Length;
                case "count":
                    return ++count;
                default:
                    throw new ArgumentException(given.ToString());
            }
        }
    }
}
