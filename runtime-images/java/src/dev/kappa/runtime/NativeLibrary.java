package dev.kappa.runtime;

import java.io.File;
import java.util.Map;

/**
 * Where the client finds its native library. By itself it unpacks one to a fixed name in /tmp, which costs time, is in the way of the
 * function, and goes wrong where two processes share /tmp (local mode).
 */
final class NativeLibrary {
    private static final String PROPERTY = "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI";
    private static final Map<String, String> ARCHITECTURES = Map.of("amd64", "x86_64", "aarch64", "aarch_64");

    private NativeLibrary() {}

    /** Names the unpacked library beside the program, if there is one for this machine. */
    static void choose() {
        String architecture = ARCHITECTURES.get(System.getProperty("os.arch"));
        String system = isMusl() ? "linux_musl" : "linux";
        File program = new File(System.getProperty("java.class.path"));
        File library = new File(program.getParentFile(), "jni/libaws-lambda-jni." + system + "-" + architecture + ".so");
        if (library.exists()) System.setProperty(PROPERTY, library.getPath());
    }

    private static boolean isMusl() {
        String[] loaders = new File("/lib").list((folder, name) -> name.startsWith("ld-musl-"));
        return loaders != null && loaders.length > 0;
    }
}
