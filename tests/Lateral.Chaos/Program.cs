using Lateral.Actors.Hosting;
using Lateral.Chaos;

var (options, mistake) = Options.Parse(args);
if (options is null)
{
    Console.Error.WriteLine($"error  {mistake}\nusage  {Options.Usage}");
    return 2;
}

if (!OperatingSystem.IsLinux() || TemporaryPostgres.Programs is null)
{
    Console.Error.WriteLine("error  the soak needs Linux and PostgreSQL's initdb and postgres (apt-get install postgresql)");
    return 3;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    return await new Soak(options, Console.Out).RunAsync(stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("interrupted: everything is taken down");
    return 5;
}
catch (TimeoutException late)
{
    Console.Error.WriteLine($"error  {late.Message}");
    return 1;
}
