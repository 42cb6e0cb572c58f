# Runs a model's program and then calls, and tells what each of them gave. What the calls should give is nowhere in this sandbox: a program that
# takes this one over can only say other values, and does not know the right ones.
def main():
    code, setup, *calls = pieces()
    out = os.dup(1)
    # What a program prints is not what it returns.
    os.dup2(2, 1)
    try:
        compiled = compile(code, "completion", "exec")
    except MemoryError:
        os._exit(77)
    except Exception:
        say("syntax", out)
        os._exit(0)
    say("parsed", out)
    module = type(sys)("completion")
    # Dataclasses and pickle look their module up.
    sys.modules["completion"] = module
    names = module.__dict__
    try:
        exec(compiled, names)
        exec(compile(setup, "setup", "exec"), names)
    except MemoryError:
        os._exit(77)
    except BaseException:
        os._exit(0)
    for call in calls:
        try:
            told = plain(eval(compile(call, "call", "eval"), names))
        except MemoryError:
            os._exit(77)
        except BaseException as error:
            told = '["x",%s]' % quoted(type(error).__name__[:80])
        say(told, out)
    os._exit(0)


main()
