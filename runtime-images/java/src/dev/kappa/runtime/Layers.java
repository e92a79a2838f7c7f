package dev.kappa.runtime;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;

/**
 * The system class loader where layers do not lie in /opt (local mode): the client looks for their libraries in /opt/java/lib and
 * nowhere else. Chosen with {@code -Djava.system.class.loader}.
 */
public final class Layers extends URLClassLoader {
    /** Called by the JVM. */
    public Layers(ClassLoader parent) {
        super(new URL[0], parent);
    }

    /** Adds the libraries of layers, in the order of their names as the client does. */
    static void use(String optFolder) throws IOException {
        if (!(ClassLoader.getSystemClassLoader() instanceof Layers)) return;
        File[] jars = new File(optFolder, "java/lib").listFiles((folder, name) -> name.endsWith(".jar"));
        if (jars == null) return;
        Arrays.sort(jars);
        for (File jar : jars) ((Layers) ClassLoader.getSystemClassLoader()).add(jar);
    }

    private void add(File jar) throws MalformedURLException {
        addURL(jar.toURI().toURL());
    }
}
