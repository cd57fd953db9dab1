using System.Reflection;
using System.Threading.Tasks;

// Waits for an asynchronous Main, as compilers of C# 7.1 and later do themselves.
static class Entry
{
    static int Main()
    {
        var main = typeof(Program).GetMethod("Main", BindingFlags.NonPublic | BindingFlags.Static);
        return ((Task<int>)main.Invoke(null, null)).GetAwaiter().GetResult();
    }
}
