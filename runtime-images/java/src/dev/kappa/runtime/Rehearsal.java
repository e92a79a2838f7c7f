package dev.kappa.runtime;

import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClientImpl;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;
import com.amazonaws.services.lambda.runtime.serialization.factories.GsonFactory;
import com.amazonaws.services.lambda.runtime.serialization.factories.JacksonFactory;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.Map;

/** What a generic process does until it is claimed. */
final class Rehearsal {
    /** What the agent answers to a claim. */
    static final class Claim {
        /** The complete environment. */
        public Map<String, String> environment;
        /** As {@code _HANDLER} in the environment. */
        public String handler;
        /** Folder of the code; the process's own already. */
        public String taskRoot;
    }

    /** Classes of the first invocation that have nothing to do until it comes; loaded, not initialised. */
    private static final String[] LATER = {
        "AWSLambda", "CustomerClassLoader", "EventHandlerLoader", "HandlerInfo", "LambdaEnvironment", "LambdaRequestHandler",
        "LambdaSerializerFactoryLoader", "PojoSerializerLoader", "ReflectUtil", "UserFault", "api.LambdaContext",
        "logging.JsonLogFormatter", "logging.LambdaContextLogger", "logging.StdOutLogSink", "logging.TextLogFormatter",
        "runtimeapi.converters.LambdaErrorConverter", "runtimeapi.converters.XRayErrorCauseConverter", "util.LambdaOutputStream",
    };

    private Rehearsal() {}

    /** Runs the agent's own invocation through the client, then waits for the claim without a time limit. @param address of the Runtime API */
    static Map<String, String> waitForClaim(String address) throws IOException {
        LambdaRuntimeApiClientImpl client = new LambdaRuntimeApiClientImpl(address);
        try {
            InvocationRequest request = client.nextInvocation();
            client.reportInvocationSuccess(request.getId(), echo(request.getContent()));
        } catch (Exception error) {
            throw new IOException("the rehearsal has failed", error);
        }
        for (String name : LATER) load("com.amazonaws.services.lambda.runtime.api.client." + name);
        System.gc();
        return claim(address);
    }

    /** Takes the event apart and puts it together with the serialiser of handlers without types. */
    private static byte[] echo(byte[] event) {
        PojoSerializer<Map> serializer = JacksonFactory.getInstance().getSerializer(Map.class);
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        serializer.toJson(serializer.fromJson(new ByteArrayInputStream(event)), answer);
        return answer.toByteArray();
    }

    private static void load(String name) {
        try {
            Class.forName(name, false, Rehearsal.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError error) {
            // another version of the client: then it is loaded when it is needed
        }
    }

    private static Map<String, String> claim(String address) throws IOException {
        URI uri = URI.create("http://" + address + "/kappa/v1/claim");
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        try (InputStream body = connection.getInputStream()) {
            return GsonFactory.getInstance().getSerializer(Claim.class).fromJson(body).environment;
        }
    }
}
