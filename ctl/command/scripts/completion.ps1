# Completion of programname's command lines in PowerShell, 5 or later.
#
# The program prints one choice per line, with its description after a tab, and last a
# colon and a sum of: 1, it failed; 2, no space after a choice, where PowerShell never puts
# one; 4, no files; 8, the choices are extensions of files; 16, folders only.

Register-ArgumentCompleter -Native -CommandName 'programname' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # The words before the cursor's, and the cursor's as far as it.
    $line = @()
    $word = ''
    foreach ($element in $commandAst.CommandElements) {
        $extent = $element.Extent
        if ($extent.StartOffset -ge $cursorPosition) {
            break
        } elseif ($extent.EndOffset -ge $cursorPosition) {
            $word = $extent.Text.Substring(0, $cursorPosition - $extent.StartOffset).Trim("'", '"')
        } elseif ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $line += $element.Value
        } else {
            $line += $extent.Text
        }
    }
    $program, $line = $line

    # What Legacy passes on for '""' is an empty word, in all versions.
    $PSNativeCommandArgumentPassing = 'Legacy'
    $ErrorActionPreference = 'SilentlyContinue'
    $last = if ($word) { $word } else { '""' }
    $answer = @(& $program __complete @line $last 2>$null)
    if ($answer.Count -eq 0 -or $answer[-1] -notmatch '^:(\d+)$') { return }
    $directive = [int]$Matches[1]
    $choices = @($answer | Select-Object -SkipLast 1)
    if ($directive -band 1) { return '' }

    # Of --flag=value the choices are values, and PowerShell wants the whole word.
    $flag, $value = '', $word
    if ($word -match '^(-[^=]*=)(.*)$') { $flag, $value = $Matches[1], $Matches[2] }

    if (($directive -band 24) -or ($choices.Count -eq 0 -and -not ($directive -band 4))) {
        $offered = [System.Management.Automation.CompletionCompleters]::CompleteFilename($value) | Where-Object {
            $folder = $_.ResultType -eq 'ProviderContainer'
            $extension = [System.IO.Path]::GetExtension($_.ListItemText).TrimStart('.')
            $folder -or -not ($directive -band 24) -or (($directive -band 8) -and $choices -contains $extension)
        } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new(
                $flag + $_.CompletionText, $_.ListItemText, $_.ResultType, $_.ToolTip)
        }
    } else {
        $offered = foreach ($choice in $choices) {
            $value, $about = $choice -split "`t", 2
            $text = $flag + $value
            if (-not $text.StartsWith($word, [System.StringComparison]::Ordinal)) { continue }
            if (-not $about) { $about = $value }
            if ($text -match '[^\w.:/=+-]') { $text = "'" + $text.Replace("'", "''") + "'" }
            [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $about)
        }
    }
    # An empty word keeps PowerShell from offering files of its own accord.
    if ($offered) { $offered } else { '' }
}
