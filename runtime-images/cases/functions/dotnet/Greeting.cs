/// <summary>A library.</summary>
public static class Greeting
{
    public static readonly string Text = "from a library";
}
