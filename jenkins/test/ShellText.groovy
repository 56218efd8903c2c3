/** Where a shell text uses a variable outside of double quotes, where its value is split and matched with file names. */
class ShellText {
    /** Names from `names` that `script` uses unquoted. Comments and here-documents are read as ordinary text. */
    static Set<String> unquoted(String script, Collection<String> names) {
        Set<String> found = []
        String quote = ''
        int i = 0
        while (i < script.size()) {
            String c = script[i]
            if (quote == "'") {
                if (c == "'") quote = ''
            } else if (c == '\\') {
                i++
            } else if (quote == '' && c == "'") {
                quote = "'"
            } else if (c == '"') {
                quote = quote == '"' ? '' : '"'
            } else if (c == '$' && quote == '') {
                def name = script.substring(i) =~ /^\$\{?(\w+)/
                if (name.find() && name.group(1) in names) found.add(name.group(1))
            }
            i++
        }
        found
    }
}
