using System.Text.Json;

/// <summary>What the waiting process calls before there is a function: the same way, so that the function's first call is not .NET's.</summary>
public sealed class Function
{
    /// <summary>What it answers.</summary>
    public sealed class Answer
    {
        /// <summary>Of the invocation.</summary>
        public string RequestId { get; set; }

        /// <summary>As it came.</summary>
        public JsonElement Event { get; set; }
    }

    /// <summary>Says what it was told.</summary>
    public Answer Handle(JsonElement given, ILambdaContext context) => new Answer { RequestId = context.AwsRequestId, Event = given };
}
