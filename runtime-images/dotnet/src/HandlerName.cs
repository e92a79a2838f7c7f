using System;

namespace Kappa.Runtime
{
    /// <summary>The parts of `ASSEMBLY::TYPE::METHOD`. https://docs.aws.amazon.com/lambda/latest/dg/csharp-handler.html</summary>
    internal sealed class HandlerName
    {
        private const string Form = "The valid format is 'ASSEMBLY::TYPE::METHOD'.";

        public string Assembly { get; private set; }
        public string Type { get; private set; }

        /// <summary>A name, or a signature as reflection prints it where there are overloads.</summary>
        public string Method { get; private set; }

        /// <summary>Throws LambdaValidationException when a part is missing.</summary>
        public static HandlerName Parse(string text)
        {
            string[] parts = text.Split("::");
            if (parts.Length != 3) throw new LambdaValidationException($"Invalid lambda function handler: '{text}'. {Form}");
            foreach ((string part, string what) in new[] { (parts[0], "assembly"), (parts[1], "type"), (parts[2], "method") })
            {
                if (part.Trim().Length == 0) throw new LambdaValidationException($"Invalid lambda function handler: '{text}', the {what} is missing. {Form}");
            }
            return new HandlerName { Assembly = parts[0].Trim(), Type = parts[1].Trim(), Method = parts[2].Trim() };
        }
    }
}
