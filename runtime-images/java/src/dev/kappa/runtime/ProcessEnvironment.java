package dev.kappa.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * The environment that {@code System.getenv} shows and that child processes get. The JDK has no way to change it, so its own map is.
 * Always UTF-8: the JDK takes what the system's locale says, and not every system has the one that LANG names.
 */
final class ProcessEnvironment {
    /** Names with this prefix are the platform's own and never reach user code. */
    private static final String PLATFORM = "KAPPA_";

    private ProcessEnvironment() {}

    /** What this process was started with. */
    static Map<String, String> own() throws IOException {
        Map<String, String> own = new TreeMap<>();
        for (String entry : new String(Files.readAllBytes(Path.of("/proc/self/environ")), UTF_8).split("\0")) {
            int end = entry.indexOf('=');
            if (end > 0) own.put(entry.substring(0, end), entry.substring(end + 1));
        }
        return own;
    }

    /** Makes the environment exactly {@code wanted}, without the platform's own names. */
    static void become(Map<String, String> wanted) throws ReflectiveOperationException {
        Map<Object, Object> real = realOne();
        real.clear();
        for (Map.Entry<String, String> entry : wanted.entrySet()) {
            if (entry.getKey().startsWith(PLATFORM)) continue;
            real.put(part("Variable", entry.getKey()), part("Value", entry.getValue()));
        }
    }

    /** Behind the view for everybody is one of texts, and behind that the map of names and values with their bytes. */
    private static Map<Object, Object> realOne() throws ReflectiveOperationException {
        return inner(inner(System.getenv()));
    }

    @SuppressWarnings("unchecked")
    private static Map<Object, Object> inner(Map<?, ?> view) throws ReflectiveOperationException {
        Field inner = view.getClass().getDeclaredField("m");
        inner.setAccessible(true);
        return (Map<Object, Object>) inner.get(view);
    }

    private static Object part(String kind, String text) throws ReflectiveOperationException {
        Class<?> type = Class.forName("java.lang.ProcessEnvironment$" + kind);
        Constructor<?> constructor = type.getDeclaredConstructor(String.class, byte[].class);
        constructor.setAccessible(true);
        return constructor.newInstance(text, text.getBytes(UTF_8));
    }
}
