using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;

namespace Kappa.Runtime
{
    /// <summary>What a server answered. Names of headers are in lower case.</summary>
    internal sealed class HttpReply
    {
        public int Status;
        public Dictionary<string, string> Headers;
        public byte[] Body;
    }

    /// <summary>One HTTP/1.1 connection: a request goes out whole, then its reply is read.</summary>
    internal sealed class HttpConnection : IDisposable
    {
        private readonly Socket socket;
        private readonly byte[] buffer = new byte[16 * 1024];
        private int next;
        private int end;

        /// <param name="address">HOST:PORT</param>
        public HttpConnection(string address)
        {
            int colon = address.LastIndexOf(':');
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(address.Substring(0, colon), int.Parse(address.Substring(colon + 1), CultureInfo.InvariantCulture));
        }

        public void Dispose() => socket.Dispose();

        public void Send(string head, ArraySegment<byte> body)
        {
            byte[] start = Encoding.UTF8.GetBytes(head);
            if (body.Count == 0) SendAll(start);
            else if (start.Length + body.Count > buffer.Length)
            {
                SendAll(start);
                SendAll(body);
            }
            else
            {
                var whole = new byte[start.Length + body.Count];
                start.CopyTo(whole, 0);
                body.CopyTo(whole, start.Length);
                SendAll(whole);
            }
        }

        public HttpReply Receive()
        {
            string[] status = Line().Split(' ');
            if (status.Length < 2 || status[0] != "HTTP/1.1") throw new IOException("runtime API: not an HTTP/1.1 response");
            var headers = new Dictionary<string, string>();
            for (string field = Line(); field.Length > 0; field = Line())
            {
                int colon = field.IndexOf(':');
                if (colon > 0) headers[field.Substring(0, colon).ToLowerInvariant()] = field.Substring(colon + 1).Trim();
            }
            return new HttpReply { Status = int.Parse(status[1], CultureInfo.InvariantCulture), Headers = headers, Body = Body(headers) };
        }

        private byte[] Body(Dictionary<string, string> headers)
        {
            if (headers.TryGetValue("transfer-encoding", out string coding) && coding == "chunked") return Chunks();
            return headers.TryGetValue("content-length", out string length) ? Exactly(int.Parse(length, CultureInfo.InvariantCulture)) : Array.Empty<byte>();
        }

        private byte[] Chunks()
        {
            var body = new MemoryStream();
            for (int size = ChunkSize(); size > 0; size = ChunkSize())
            {
                body.Write(Exactly(size));
                Line();
            }
            while (Line().Length > 0) { } // trailers
            return body.ToArray();
        }

        private int ChunkSize() => int.Parse(Line().Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        private void SendAll(ArraySegment<byte> bytes)
        {
            for (int sent = 0; sent < bytes.Count;) sent += socket.Send(bytes.Slice(sent), SocketFlags.None);
        }

        private string Line()
        {
            var line = new List<byte>(128);
            while (true)
            {
                if (next == end) Fill();
                byte each = buffer[next++];
                if (each == '\n') break;
                line.Add(each);
            }
            int length = line.Count > 0 && line[line.Count - 1] == '\r' ? line.Count - 1 : line.Count;
            return Encoding.UTF8.GetString(line.ToArray(), 0, length);
        }

        private byte[] Exactly(int size)
        {
            var bytes = new byte[size];
            int had = Math.Min(size, end - next);
            Array.Copy(buffer, next, bytes, 0, had);
            next += had;
            while (had < size)
            {
                int more = socket.Receive(bytes, had, size - had, SocketFlags.None);
                if (more == 0) throw new IOException("runtime API: connection closed");
                had += more;
            }
            return bytes;
        }

        private void Fill()
        {
            next = 0;
            end = socket.Receive(buffer);
            if (end == 0) throw new IOException("runtime API: connection closed");
        }
    }
}
