using System;
using System.Collections.Generic;
using System.IO;

namespace Kappa.Runtime
{
    /// <summary>
    /// The .NET runtime: starts before it belongs to a function (KAPPA_BOOT=generic), runs one invocation of its own to warm every step
    /// of the first real one, waits for the claim, and becomes that function. Without KAPPA_BOOT it has the complete environment already.
    /// docs/internals.md, "Agent and runtime process: pre-boot".
    /// </summary>
    internal static class Program
    {
        /// <summary>Runs until the agent ends the process. An argument says that the function's own settings are in force.</summary>
        private static int Main(string[] arguments)
        {
            if (!Heap.IsTuned) OwnProcess.StartAnew(ProcessEnvironment.Own());
            var api = new RuntimeApi(Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API"));
            bool isGeneric = Environment.GetEnvironmentVariable("KAPPA_BOOT") == "generic";
            IReadOnlyDictionary<string, string> wanted = isGeneric ? Rehearsal.WaitForClaim(api) : ProcessEnvironment.Own();
            ProcessEnvironment.Become(wanted);
            Logs.SetUp();
            Handler handler = LoadOrExit(api, arguments.Length > 0);
            while (true) Serve(api, handler, isReal: true);
        }

        private static Handler LoadOrExit(RuntimeApi api, bool isConfigured)
        {
            string name = Environment.GetEnvironmentVariable("_HANDLER") ?? "";
            string taskRoot = Environment.GetEnvironmentVariable("LAMBDA_TASK_ROOT") ?? "/var/task";
            try
            {
                if (!name.Contains(':')) OwnProcess.StartExecutable(taskRoot, name);
                HandlerName parsed = HandlerName.Parse(name);
                if (!isConfigured && RuntimeConfig.Of(taskRoot, parsed.Assembly) is RuntimeConfig config)
                {
                    if (config.NeedsOwnProcess) OwnProcess.StartConfigured(config.Path);
                    config.Apply();
                }
                Heap.StayBelow(Environment.GetEnvironmentVariable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
                return Handler.Load(Path.Combine(taskRoot, parsed.Assembly + ".dll"), parsed);
            }
            catch (Exception error)
            {
                Log(error); // first: the agent may end a process that says so
                api.FailInit(Errors.Body(error), Errors.TypeOf(error));
                Environment.Exit(1);
                throw;
            }
        }

        /// <summary>Takes one invocation, runs it, answers it.</summary>
        internal static void Serve(RuntimeApi api, Handler handler, bool isReal)
        {
            Invocation invocation = api.Next();
            if (isReal)
            {
                Logs.RequestId = invocation.RequestId;
                Environment.SetEnvironmentVariable("_X_AMZN_TRACE_ID", invocation.TraceId);
            }
            ArraySegment<byte> answer;
            try
            {
                answer = handler.Run(invocation);
            }
            catch (Exception error)
            {
                api.Fail(invocation, Errors.Body(error), Errors.TypeOf(error));
                Log(error);
                return;
            }
            api.Respond(invocation, answer);
        }

        private static void Log(Exception error)
        {
            try
            {
                Console.Error.WriteLine(Errors.TextOf(error));
            }
            catch (Exception)
            {
                // The user's code has put a writer of its own there: nobody is left to tell.
            }
        }
    }
}
