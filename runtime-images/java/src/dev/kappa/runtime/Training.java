package dev.kappa.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Runs a generic process against a Runtime API of its own until it would be claimed, so that the JVM can write an archive of the classes
 * that it has loaded ({@code -XX:ArchiveClassesAtExit}). archive.sh starts it.
 */
final class Training {
    private Training() {}

    /** Ends the JVM when the rehearsal is over, or has failed: the server's thread would keep it. */
    public static void main(String[] arguments) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", Training::answer);
            server.start();
            NativeLibrary.choose();
            Rehearsal.waitForClaim("127.0.0.1:" + server.getAddress().getPort());
        } catch (Throwable error) {
            error.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    private static void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        exchange.getRequestBody().readAllBytes();
        if (path.endsWith("/response")) {
            exchange.sendResponseHeaders(202, -1);
            return;
        }
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.getResponseHeaders().add("Lambda-Runtime-Aws-Request-Id", "00000000-0000-0000-0000-000000000000");
        exchange.getResponseHeaders().add("Lambda-Runtime-Deadline-Ms", "1");
        byte[] body = path.endsWith("/claim") ? "{\"environment\":{}}".getBytes(UTF_8) : "{\"kappa\":\"rehearsal\"}".getBytes(UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
