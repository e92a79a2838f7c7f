using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Amazon.Lambda.Core;

/// <summary>Each way to write a handler, and what else only .NET has.</summary>
public class Handlers : Base
{
    public class Person
    {
        public string Name { get; set; }
        public string Nobody { get; set; }
    }

    public Person Typed(Person person) => new Person { Name = "Hello, " + person.Name };

    public Stream Streams(Stream given)
    {
        var answer = new MemoryStream();
        given.CopyTo(answer);
        answer.Position = 0;
        return answer;
    }

    public static string Static(string text, ILambdaContext context) => text + "!";

    public async Task<int> Async(Dictionary<string, int> given)
    {
        await Task.Yield();
        return given["a"];
    }

    public async Task NoAnswer(JsonElement given) => await Task.Yield();

    public void Nothing()
    {
    }

    public int OnlyContext(ILambdaContext context) => context.MemoryLimitInMB;

    public string Overloaded(int number) => "number " + number;

    public string Overloaded(string text) => "text " + text;

    [LambdaSerializer(typeof(Loud))]
    public string Brought(string text) => text + " answered";

    /// <summary>A serializer of the package's own.</summary>
    public class Loud : ILambdaSerializer
    {
        public T Deserialize<T>(Stream stream) => (T)(object)new StreamReader(stream).ReadToEnd().ToUpperInvariant();

        public void Serialize<T>(T answer, Stream stream) => stream.Write(Encoding.UTF8.GetBytes("<" + answer + ">"));
    }

    public void Cause(JsonElement given) => Throw();

    private static void Throw()
    {
        try
        {
            throw new ArgumentException("inner ü");
        }
        catch (ArgumentException inner)
        {
            throw new InvalidOperationException("outer \ud800", inner);
        }
    }

    public async Task Several(JsonElement given)
    {
        Task both = Task.WhenAll(Task.FromException(new ArgumentException("one")), Task.FromException(new FormatException("two")));
        try
        {
            await both;
        }
        catch (ArgumentException)
        {
            throw both.Exception;
        }
    }

    public async void AsyncVoid() => await Task.Yield();

    public int Three(int a, int b, int c) => a;

    public object Settings(JsonElement given)
    {
        using Process child = Process.Start(new ProcessStartInfo("sh", "-c \"printf %s $COLOUR\"") { RedirectStandardOutput = true });
        return new
        {
            colour = Environment.GetEnvironmentVariable("COLOUR"),
            childs = child.StandardOutput.ReadToEnd(),
            empty = Environment.GetEnvironmentVariable("EMPTY"),
            platforms = Environment.GetEnvironmentVariables().Keys.Cast<string>().Count(name => name.StartsWith("KAPPA_")),
            hour = TimeZoneInfo.ConvertTimeFromUtc(DateTime.UnixEpoch, TimeZoneInfo.Local).Hour,
            invariant = AppContext.TryGetSwitch("System.Globalization.Invariant", out bool invariant) && invariant,
            mine = AppContext.GetData("Mine.Setting"),
            pid = Process.GetCurrentProcess().Id,
        };
    }

    public object Garbage(int rounds)
    {
        var kept = new List<byte[]>();
        for (int round = 0; round < rounds; round++)
        {
            kept.Add(new byte[1 << 20]);
            if (kept.Count > 20) kept.Clear();
        }
        return "done";
    }

    public string TooMuch(JsonElement given)
    {
        var kept = new List<byte[]>();
        while (true) kept.Add(Enumerable.Repeat((byte)1, 1 << 20).ToArray());
    }

    public void Log(JsonElement given, ILambdaContext context)
    {
        Console.Write("as it is\n");
        Console.WriteLine("{0} lines", 2);
        context.Logger.LogLine("plain ü");
        context.Logger.Log("Warning", "by its name");
        context.Logger.Log(LogLevel.Debug, "hidden");
        context.Logger.LogWarning("{count} of {@what}", 3, new[] { "a" });
        context.Logger.LogError(new FormatException("bad"), "with an error");
        LambdaLogger.Log("static");
    }

    public void Untellable(JsonElement given) => throw new UntellableException();

    public void NoWriter(JsonElement given)
    {
        Console.SetError(new StreamWriter(new MemoryStream(new byte[1])) { AutoFlush = true }); // has no room
        throw new FormatException("bad");
    }

    public object Dependency(JsonElement given)
    {
        Assembly greeting = Assembly.Load("Greeting");
        object text = greeting.GetType("Greeting").GetField("Text").GetValue(null);
        return new { text, apart = AssemblyLoadContext.GetLoadContext(greeting) != AssemblyLoadContext.Default };
    }
}

/// <summary>Handlers may be inherited.</summary>
public abstract class Base
{
    public string Inherited(JsonElement given) => GetType().Name;

    public string OfNobody(JsonElement given) => "never";
}

/// <summary>Says nothing of itself.</summary>
public class UntellableException : Exception
{
    public override string Message => throw new NotSupportedException();

    public override string StackTrace => throw new NotSupportedException();

    public override string ToString() => throw new NotSupportedException();
}

/// <summary>Cannot be made, and cannot say why.</summary>
public class FailsUntold
{
    public FailsUntold() => throw new UntellableException();

    public int Handle(JsonElement given) => 1;
}

/// <summary>Cannot be had.</summary>
public class Fails
{
    private static readonly int Never = int.Parse("no number", CultureInfo.InvariantCulture);

    public static int Handle(JsonElement given) => Never;
}
