# Completion of programname's command lines in fish, 3.1 or later.
#
# The program prints one choice per line, with its description after a tab, and last a
# colon and a sum of: 1, it failed; 2, no space after a choice, which fish decides
# itself; 4, no files; 8, the choices are extensions of files; 16, folders only.

function __programname_complete
    # fish 4 can expand ~ and variables in the words before the cursor's.
    set -l line (commandline -xpc 2>/dev/null; or commandline -opc)
    set -l raw (commandline -ct)
    set -l word (string unescape -- "$raw"; or string trim -l -c '"\'' -- "$raw")
    set -l program $line[1]
    set -e line[1]
    set -l answer ($program __complete $line "$word" 2>/dev/null)
    string match -qr '^:[0-9]+$' -- "$answer[-1]"; or return
    set -l directive (string trim -l -c : -- $answer[-1])
    set -e answer[-1]
    function __programname_has -a bit -V directive
        test (math -s0 "$directive % (2 * $bit) / $bit") = 1
    end

    # Of --flag=value the choices are values, and fish wants the whole word.
    set -l flag (string match -r '^-[^=]*=' -- "$word")
    set -l path (string sub -s (math 1 + (string length -- "$flag")) -- "$word")
    if __programname_has 1
        return
    else if __programname_has 16
        set answer (__fish_complete_path "$path" | string match -r '^[^\t]*/(?:\t.*)?$')
    else if __programname_has 8
        set answer (__fish_complete_path "$path" | string match -r '^[^\t]*(?:/|\.'(string join '|\.' $answer)')(?:\t.*)?$')
    else if not set -q answer[1]; and not __programname_has 4
        set answer (__fish_complete_path "$path")
    end
    for choice in $answer
        echo "$flag$choice"
    end
end

complete -c programname -e
complete -c programname -f -a '(__programname_complete)'
