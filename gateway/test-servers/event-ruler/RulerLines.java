import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

/** Event Ruler over lines: reads ["PATTERN", "EVENT"], both JSON texts, and writes true, false, or why the pattern is refused. */
public final class RulerLines {
  public static void main(String[] arguments) throws Exception {
    ObjectMapper json = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode pair = json.readTree(line);
      out.println(answer(pair.get(0).asText(), pair.get(1).asText()).replace('\n', ' '));
      if (!in.ready()) out.flush();
    }
  }

  private static String answer(String pattern, String event) throws Exception {
    Machine machine = Machine.builder().build();
    try {
      machine.addRule("rule", pattern);
    } catch (IOException | RuntimeException refused) { // it stumbles over some patterns, e.g. an empty list of prefixes
      return "refused: " + refused.getMessage();
    }
    return String.valueOf(!machine.rulesForJSONEvent(event).isEmpty());
  }
}
