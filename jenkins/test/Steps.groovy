import java.nio.file.FileSystems
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import org.xml.sax.SAXException

/** The steps that a Jenkinsfile may use: their parameters, and what each does here. */
class Steps {
    /** The first parameter is the one that may stand without its name. */
    private static final Map<String, Map> STEPS = [
        sh: [takes: ['script', 'returnStdout', 'returnStatus', 'label', 'encoding'], agent: true],
        echo: [takes: ['message']],
        error: [takes: ['message']],
        unstable: [takes: ['message']],
        checkout: [takes: ['scm'], agent: true],
        stash: [takes: ['name', 'includes', 'excludes', 'allowEmpty', 'useDefaultExcludes'], agent: true],
        unstash: [takes: ['name'], agent: true],
        archiveArtifacts: [takes: ['artifacts', 'fingerprint', 'allowEmptyArchive', 'onlyIfSuccessful', 'excludes'], agent: true],
        fingerprint: [takes: ['targets'], agent: true],
        junit: [takes: ['testResults', 'allowEmptyResults', 'skipPublishingChecks', 'skipMarkingBuildUnstable', 'keepLongStdio'], agent: true],
        readFile: [takes: ['file', 'encoding'], agent: true],
        writeFile: [takes: ['file', 'text', 'encoding'], agent: true],
        fileExists: [takes: ['file'], agent: true],
        deleteDir: [takes: [], agent: true],
        milestone: [takes: ['ordinal', 'label']],
        mail: [takes: ['to', 'subject', 'body', 'cc', 'bcc', 'from', 'replyTo', 'charset', 'mimeType']],
        string: [takes: ['credentialsId', 'variable']],
        usernamePassword: [takes: ['credentialsId', 'usernameVariable', 'passwordVariable']],
        withCredentials: [takes: ['bindings'], body: true],
        withEnv: [takes: ['overrides'], body: true],
        lock: [takes: ['resource', 'label', 'quantity', 'inversePrecedence', 'skipIfLocked', 'variable'], body: true],
        timeout: [takes: ['time', 'unit', 'activity'], body: true],
        retry: [takes: ['count'], body: true],
        catchError: [takes: ['message', 'buildResult', 'stageResult', 'catchInterruptions'], body: true],
        timestamps: [takes: [], body: true],
        node: [takes: ['label'], body: true],
        dir: [takes: ['path'], body: true, agent: true],
        script: [takes: [], body: true],
    ]
    private final Recorder recorder
    private final Build build
    private final Map<String, File> stashes = [:]
    private int milestone = 0
    private int scripts = 0

    Steps(Recorder recorder) {
        this.recorder = recorder
        this.build = recorder.build
    }

    def call(String name, List arguments) {
        def step = STEPS[name]
        if (step == null) throw new Refused("unknown step \"${name}\"")
        if (step.agent && build.workspace == null) throw new Refused("${name} outside of an agent: the stage has none, and neither has the pipeline")
        def body = !arguments.empty && arguments.last() instanceof Closure ? arguments.last() as Closure : null
        if ((body != null) != (step.body == true)) throw new Refused(step.body ? "${name} needs a { } block" : "${name} takes no { } block")
        Map given = named(name, step.takes as List, body ? arguments.init() : arguments)
        if (!(name in ['string', 'usernamePassword', 'script']))
            recorder.event('step', [step: name, executors: build.executors] + (given ? [arguments: given] : [:]))
        body ? "${name}"(given) { recorder.within('steps', body) } : "${name}"(given)
    }

    private static Map named(String name, List takes, List arguments) {
        if (arguments.empty) return [:]
        if (arguments.size() > 1) throw new Refused("${name} was given ${arguments.size()} values without names")
        if (!(arguments.first() instanceof Map) || name == 'checkout') {
            if (takes.empty) throw new Refused("${name} takes no value")
            return [(takes.first()): arguments.first()]
        }
        def unknown = (arguments.first() as Map).keySet() - takes
        if (!unknown.empty) throw new Refused("${name} has no parameter ${unknown.join(', ')}; it has ${takes.join(', ')}")
        arguments.first() as Map
    }

    /** As Jenkins does: the text in a file, run by a shell with -x and -e. */
    private sh(Map given) {
        String script = given.script
        if (!script) throw new Refused('sh without a script')
        if (build.secrets.any { it && script.contains(it) }) throw new Refused('the text of an sh holds the value of a secret')
        def unquoted = ShellText.unquoted(script, build.foreign)
        if (!unquoted.empty) throw new Refused("sh uses ${unquoted.collect { '$' + it }.join(', ')} outside of double quotes: ${script.trim()}")
        def folder = new File(build.settings.folder as String)
        def file = new File(folder, "script-${++scripts}.sh")
        file.setText(script.stripIndent(), 'UTF-8')
        def (out, err) = [new File(folder, "script-${scripts}.out"), new File(folder, "script-${scripts}.err")]
        def builder = new ProcessBuilder('bash', '-xe', file.path).directory(build.workspace).redirectOutput(out).redirectError(err)
        builder.environment().clear()
        builder.environment().putAll([PATH: build.settings.path ?: System.getenv('PATH'), HOME: build.settings.folder as String] + build.environment())
        def process = builder.start()
        process.outputStream.close()
        def exit = process.waitFor()
        recorder.event('ran', [script: script.stripIndent().trim(), exit: exit, stdout: out.getText('UTF-8'), stderr: err.getText('UTF-8')])
        if (given.returnStatus) return exit
        if (exit != 0) throw new Ended('FAILURE', "script returned exit code ${exit}")
        given.returnStdout ? out.getText('UTF-8') : null
    }

    private echo(Map given) {
        null
    }

    private error(Map given) {
        throw new Ended('FAILURE', given.message as String)
    }

    private unstable(Map given) {
        build.worsen('UNSTABLE')
    }

    private checkout(Map given) {
        build.layers.last().putAll(build.checkOut())
    }

    private stash(Map given) {
        def into = new File(build.settings.folder as String, "stash-${given.name}")
        def files = files(given.includes ?: '**')
        if (files.empty && !given.allowEmpty) throw new Ended('FAILURE', "No files included in stash '${given.name}'")
        files.each { copy(it, build.workspace, into) }
        stashes[given.name as String] = into
    }

    private unstash(Map given) {
        def from = stashes[given.name as String]
        if (from == null) throw new Ended('FAILURE', "No such saved stash '${given.name}'")
        below(from).each { copy(it, from, build.workspace) }
    }

    private archiveArtifacts(Map given) {
        def files = files(given.artifacts)
        if (files.empty && !given.allowEmptyArchive) throw new Ended('FAILURE', "No artifacts found that match the file pattern \"${given.artifacts}\"")
        def into = new File(build.settings.folder as String, 'archive')
        files.each { copy(it, build.workspace, into) }
        recorder.event('archived', [files: files, fingerprints: given.fingerprint ? files.collectEntries { [it, md5(it)] } : null])
    }

    private fingerprint(Map given) {
        recorder.event('archived', [fingerprints: files(given.targets).collectEntries { [it, md5(it)] }])
    }

    private junit(Map given) {
        def files = files(given.testResults)
        if (files.empty && !given.allowEmptyResults) throw new Ended('FAILURE', 'No test report files were found. Configuration error?')
        def cases = files.collectMany { file ->
            report(file).depthFirst().findAll { it.name() == 'testcase' }.collect {
                [name: it.@name.text(), failed: it.failure.size() + it.error.size() > 0, skipped: it.skipped.size() > 0]
            }
        }
        recorder.event('junit', [files: files, cases: cases])
        if (cases.any { it.failed } && !given.skipMarkingBuildUnstable) build.worsen('UNSTABLE')
    }

    private report(String file) {
        try {
            return new XmlSlurper().parse(new File(build.workspace, file))
        } catch (SAXException broken) {
            throw new Ended('FAILURE', "${file} is no JUnit report: ${broken.message}")
        }
    }

    private readFile(Map given) {
        new File(build.workspace, given.file as String).getText('UTF-8')
    }

    private writeFile(Map given) {
        new File(build.workspace, given.file as String).setText(given.text as String, 'UTF-8')
    }

    private fileExists(Map given) {
        new File(build.workspace, given.file as String).exists()
    }

    private deleteDir(Map given) {
        build.workspace.deleteDir()
        build.workspace.mkdirs()
    }

    private milestone(Map given) {
        def ordinal = (given.ordinal ?: milestone + 1) as int
        if (ordinal <= milestone) throw new Refused("milestone ${ordinal} after milestone ${milestone}: ordinals must grow")
        milestone = ordinal
    }

    private mail(Map given) {
        ['subject', 'body'].each { if (!given[it]) throw new Refused("mail without a ${it}") }
    }

    private string(Map given) {
        given
    }

    private usernamePassword(Map given) {
        given
    }

    private withCredentials(Map given, Closure body) {
        def layer = (given.bindings as List<Map>).inject([:]) { all, binding -> all + bound(binding) }
        build.withLayer(layer, body)
    }

    private Map<String, String> bound(Map binding) {
        if (binding.variable) return build.bind(binding.credentialsId as String, [binding.variable as String])
        build.bind(binding.credentialsId as String, [binding.usernameVariable, binding.passwordVariable] as List<String>)
    }

    private withEnv(Map given, Closure body) {
        build.withLayer((given.overrides as List).collectEntries { String.valueOf(it).split('=', 2) as List }, body)
    }

    private lock(Map given, Closure body) {
        def resource = String.valueOf(given.resource ?: given.label)
        recorder.event('lock', [resource: resource, state: 'taken'])
        try {
            return body.call()
        } finally {
            recorder.event('lock', [resource: resource, state: 'released'])
        }
    }

    private timeout(Map given, Closure body) {
        body.call()
    }

    private retry(Map given, Closure body) {
        def count = given.count as int
        for (int left = count; ; left--) {
            try {
                return body.call()
            } catch (Ended ended) {
                if (left <= 1) throw ended
            }
        }
    }

    private catchError(Map given, Closure body) {
        try {
            return body.call()
        } catch (Ended ended) {
            build.worsen((given.buildResult ?: 'FAILURE') as String)
            recorder.event('caught', [why: ended.message])
        }
    }

    private timestamps(Map given, Closure body) {
        body.call()
    }

    private node(Map given, Closure body) {
        build.onAgent((given.label ?: 'any') as String, false, body)
    }

    private dir(Map given, Closure body) {
        def inner = new File(build.workspace, given.path as String)
        inner.mkdirs()
        build.workspaces[-1] = inner
        try {
            return body.call()
        } finally {
            build.workspaces[-1] = inner.path == new File(build.environment().WORKSPACE as String).path ? inner : new File(build.environment().WORKSPACE as String)
        }
    }

    private script(Map given, Closure body) {
        body.call()
    }

    /** Files of the workspace that match one of the patterns, which commas separate, as Ant reads them. */
    private List<String> files(Object patterns) {
        def matchers = String.valueOf(patterns).split(',')*.trim().collectMany { String pattern ->
            // To Ant, **/ also means the folder itself.
            [pattern, pattern.replace('**/', '')].unique().collect { FileSystems.default.getPathMatcher("glob:${it}") }
        }
        below(build.workspace).findAll { file -> matchers.any { it.matches(new File(file).toPath()) } }
    }

    private static List<String> below(File folder) {
        def found = []
        folder.eachFileRecurse { if (it.isFile() && !it.path.contains('/.git/')) found.add(folder.toPath().relativize(it.toPath()).toString()) }
        found.sort()
    }

    private static void copy(String file, File from, File to) {
        Path target = new File(to, file).toPath()
        Files.createDirectories(target.parent)
        target.toFile().bytes = new File(from, file).bytes
    }

    private String md5(String file) {
        MessageDigest.getInstance('MD5').digest(new File(build.workspace, file).bytes).encodeHex().toString()
    }
}
