using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Kappa.Runtime
{
    /// <summary>What a generic process does until it is claimed.</summary>
    internal static class Rehearsal
    {
        /// <summary>An answer of the agent to a claim.</summary>
        private sealed class Claimed
        {
            public Dictionary<string, string> environment { get; set; }
        }

        /// <summary>Runs the agent's own invocation as a function's, then waits for the claim without a time limit: the complete environment.</summary>
        public static IReadOnlyDictionary<string, string> WaitForClaim(RuntimeApi api)
        {
            ProcessEnvironment.Become(ProcessEnvironment.Own());
            Heap.StayBelow("10240");
            Handler handler = Handler.Load(Path.Combine(AppContext.BaseDirectory, "rehearsal/Function.dll"), HandlerName.Parse("Function::Function::Handle"));
            Program.Serve(api, handler, isReal: false);
            try
            {
                throw new InvalidOperationException("rehearsal");
            }
            catch (InvalidOperationException error)
            {
                Errors.Body(error);
            }
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            return JsonSerializer.Deserialize<Claimed>(api.Claim()).environment;
        }
    }
}
