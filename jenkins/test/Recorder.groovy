import groovy.json.JsonOutput
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.MultipleCompilationErrorsException

/**
 * One build. It knows which section of the file is being read or run, and gives every name to the table of that section:
 * a name that is not in the table is an unknown directive or step, as in Jenkins.
 */
class Recorder {
    static Recorder current
    final Map settings
    final Build build
    final Declarative declarative
    final Steps steps
    private final Deque<String> sections = new ArrayDeque<>(['script'])
    private final Map<String, Object> libraries = [:]
    private final SourceRules rules = new SourceRules()
    private final Map<String, Object> variables = [:]
    private boolean executed = false

    Recorder(Map settings) {
        current = this
        this.settings = settings
        this.build = new Build(settings, this)
        this.steps = new Steps(this)
        this.declarative = new Declarative(this)
    }

    /** The exit code of the program. */
    int execute() {
        try {
            def file = new File(settings.jenkinsfile as String)
            event('start', [file: file.name, branch: build.env.BRANCH_NAME, number: build.env.BUILD_NUMBER])
            def script = parse(file)
            rules.libraries.each { load(it) }
            refuseProblems()
            script.run()
            if (!executed) throw new Refused("${file.name} has no pipeline { } and calls no step of a library that has one")
            event('end', [result: build.result])
            return 0
        } catch (Ended ended) {
            build.worsen(ended.result)
            event('failed', [result: ended.result, why: ended.message])
            event('end', [result: build.result])
            return 0
        } catch (Interrupted interrupted) {
            event('end', [result: 'INTERRUPTED', why: interrupted.message])
            return 0
        } catch (Refused | MultipleCompilationErrorsException | MissingPropertyException refused) {
            event('refused', [why: refused.message])
            return 3
        }
    }

    void event(String name, Map fields = [:]) {
        def line = [event: name, stage: build.stage] + fields
        System.out.println(build.masked(JsonOutput.toJson(line.findAll { it.value != null })))
        System.out.flush()
    }

    /** Runs a closure as the given section. */
    def within(String section, Closure body) {
        sections.push(section)
        try {
            return body.call()
        } finally {
            sections.pop()
        }
    }

    String getSection() {
        sections.peek()
    }

    def called(String name, List arguments) {
        if (section == 'script') return onTop(name, arguments)
        if (section == 'steps') return libraries.containsKey(name) ? libraries[name].call(*arguments) : steps.call(name, arguments)
        declarative.directive(section, name, arguments)
    }

    private onTop(String name, List arguments) {
        if (name == 'pipeline') {
            executed = true
            return declarative.pipeline(arguments.last() as Closure)
        }
        if (name == 'library') return load(arguments.first() as String)
        if (libraries.containsKey(name)) return libraries[name].call(*arguments)
        if (name in ['echo', 'error']) return steps.call(name, arguments)
        throw new Refused("\"${name}\" stands outside of pipeline { } and is no step of a loaded library")
    }

    def read(String name) {
        if (section in ['pipeline', 'stage'] && name in ['none', 'any']) return name
        if (name == 'env') return new Env(build)
        if (name == 'scm') return [scm: settings.repository]
        if (name == 'currentBuild') return [result: build.result, currentResult: build.result ?: 'SUCCESS', number: build.env.BUILD_NUMBER as int, absoluteUrl: build.env.BUILD_URL]
        if (libraries.containsKey(name)) return libraries[name]
        if (variables.containsKey(name)) return variables[name]
        if (build.environment().containsKey(name)) return build.environment()[name]
        throw new Refused("\"${name}\" in ${section} { } is neither a variable nor set in the environment")
    }

    void assign(String name, Object value) {
        if (section == 'environment') build.declare(name, value)
        else if (section in ['steps', 'script']) variables[name] = value
        else throw new Refused("\"${name} = …\" in ${section} { }, where nothing can be assigned")
    }

    private Script parse(File file) {
        def configuration = new CompilerConfiguration(scriptBaseClass: JenkinsScript.name)
        configuration.addCompilationCustomizers(rules)
        // The class is named for the file, whatever the file is called.
        def name = file.name.replaceAll(/\.groovy$/, '').replaceAll(/\W/, '_').replaceAll(/^(?=\d)/, '_')
        new GroovyShell(Recorder.classLoader, new Binding(), configuration).parse(file.getText('UTF-8'), name + '.groovy')
    }

    /** Every file of the library's vars/ becomes a step of its name. */
    private load(String reference) {
        def name = reference.split('@')[0]
        def folder = settings.libraries?.get(name)
        if (folder == null) throw new Refused("no shared library \"${name}\" is registered")
        event('library', [name: name])
        new File(folder as String, 'vars').listFiles().findAll { it.name.endsWith('.groovy') }.sort().each {
            libraries[it.name - '.groovy'] = parse(it)
        }
        refuseProblems()
    }

    private void refuseProblems() {
        if (!rules.problems.empty) throw new Refused(rules.problems.join('\n'))
    }
}
