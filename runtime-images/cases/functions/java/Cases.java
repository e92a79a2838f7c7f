import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** The cases in Java. */
public class Cases implements RequestHandler<Map<String, Object>, Object> {
    /** What a case throws on purpose. */
    public static class OwnError extends RuntimeException {
        OwnError(String message) {
            super(message);
        }
    }

    private int count;

    public Cases() {
        if ("fail".equals(System.getenv("INIT"))) throw new IllegalStateException("not today");
        if ("exit".equals(System.getenv("INIT"))) System.exit(3);
    }

    @Override
    public Object handleRequest(Map<String, Object> event, Context context) {
        try {
            return run(event, context);
        } catch (RuntimeException error) {
            throw error;
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    private Object run(Map<String, Object> event, Context context) throws Exception {
        switch ((String) event.get("do")) {
            case "echo":
                return event;
            case "context":
                return Map.of(
                    "requestId", context.getAwsRequestId(),
                    "functionName", context.getFunctionName(),
                    "functionVersion", context.getFunctionVersion(),
                    "memory", context.getMemoryLimitInMB(),
                    "arn", context.getInvokedFunctionArn(),
                    "logGroup", context.getLogGroupName(),
                    "logStream", context.getLogStreamName(),
                    "remainingMs", context.getRemainingTimeInMillis(),
                    "caller", context.getClientContext().getCustom().get("name"),
                    "folder", System.getProperty("user.dir"));
            case "environment":
                return System.getenv();
            case "throw":
                throw new OwnError("on purpose: ü");
            case "exit":
                System.exit(3);
                return null;
            case "sleep":
                Thread.sleep(60_000);
                return null;
            case "log":
                System.out.println("printed ü");
                System.err.println("to standard error");
                return null;
            case "large":
                return "x".repeat(((Number) event.get("bytes")).intValue() - 2);
            case "layer":
                return Class.forName("Greeting").getField("TEXT").get(null);
            case "tmp":
                Path file = Path.of(System.getProperty("java.io.tmpdir"), "lines");
                Files.writeString(file, "line\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                return Files.readAllLines(file).size();
            case "count":
                return ++count;
            default:
                throw new IllegalArgumentException(String.valueOf(event));
        }
    }
}
