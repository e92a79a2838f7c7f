/// <summary>In an assembly of its own, and named as the one that handlers have.</summary>
public interface ILambdaContext
{
    /// <summary>Of the invocation.</summary>
    string AwsRequestId { get; }
}
