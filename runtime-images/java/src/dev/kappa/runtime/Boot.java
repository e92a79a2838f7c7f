package dev.kappa.runtime;

import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;

/**
 * The Java runtime: starts before it belongs to a function (KAPPA_BOOT=generic), runs one invocation of its own to warm the official
 * client, waits for the claim, and becomes that function by handing over to the client. Without KAPPA_BOOT it has the complete
 * environment already. docs/internals.md, "Agent and runtime process: pre-boot".
 *
 * <p>The client reads the environment when its classes AWSLambda and LambdaEnvironment are first used: not before the claim.
 */
public final class Boot {
    private Boot() {}

    /** Runs until the agent ends the process. */
    public static void main(String[] arguments) throws Throwable {
        String optFolder = System.getenv("KAPPA_OPT_DIR");
        String temporary = System.getenv("TMPDIR");
        if (temporary != null) System.setProperty("java.io.tmpdir", temporary);
        NativeLibrary.choose();
        boolean isGeneric = "generic".equals(System.getenv("KAPPA_BOOT"));
        ProcessEnvironment.become(isGeneric ? Rehearsal.waitForClaim(System.getenv("AWS_LAMBDA_RUNTIME_API")) : ProcessEnvironment.own());
        if (optFolder != null) Layers.use(optFolder);
        Heap.collectBelow(Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")));
        AWSLambda.main(new String[] {System.getenv("_HANDLER")});
    }
}
