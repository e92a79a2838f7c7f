import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Each way to write a handler. */
public class Handlers {
    /** With types of its own. */
    public static class Typed implements RequestHandler<Typed.Person, Typed.Greeting> {
        /** The event. */
        public static class Person {
            public String name;
        }

        /** The answer. */
        public static class Greeting {
            public String greeting;
        }

        @Override
        public Greeting handleRequest(Person person, Context context) {
            Greeting greeting = new Greeting();
            greeting.greeting = "Hello, " + person.name;
            return greeting;
        }
    }

    /** With the bytes. */
    public static class Streams implements RequestStreamHandler {
        @Override
        public void handleRequest(InputStream event, OutputStream answer, Context context) throws IOException {
            event.transferTo(answer);
        }
    }

    /** Not to be had. */
    public static class Fails implements RequestHandler<Object, Object> {
        static final int NEVER = Integer.parseInt("no number");

        @Override
        public Object handleRequest(Object event, Context context) {
            return NEVER;
        }
    }

    public int method(Map<String, Integer> event) {
        return event.get("a");
    }

    public String text(String event, Context context) {
        return event + "!";
    }

    public void cause(Object event) {
        throw new IllegalStateException("outer", new IllegalArgumentException("inner ü"));
    }

    public List<Object> settings(Object event) throws Exception {
        Process child = new ProcessBuilder("sh", "-c", "printf %s \"$COLOUR\"").start();
        String childs = new String(child.getInputStream().readAllBytes(), "UTF-8");
        long platforms = System.getenv().keySet().stream().filter(name -> name.startsWith("KAPPA_")).count();
        return Arrays.asList(System.getProperty("mine"), System.getenv("COLOUR"), platforms, childs);
    }

    public String garbage(int rounds) {
        List<byte[]> kept = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            kept.add(new byte[1 << 20]);
            if (kept.size() > 20) kept.clear();
        }
        return "done";
    }

    public void log(Object event, Context context) {
        context.getLogger().log("logged ü", LogLevel.WARN);
    }
}
