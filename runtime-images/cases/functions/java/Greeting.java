/** The contents of a layer. */
public class Greeting {
    public static final String TEXT = "from a layer";
}
