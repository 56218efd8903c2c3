import groovy.json.JsonSlurper

/** The sections of a declarative Jenkinsfile, and the order in which Jenkins runs them, which is not that of the text. */
class Declarative {
    private static final Map<String, List<String>> DIRECTIVES = [
        pipeline: ['agent', 'stages', 'environment', 'options', 'post', 'parameters', 'triggers', 'tools'],
        stages: ['stage'],
        parallel: ['stage'],
        stage: ['agent', 'steps', 'stages', 'parallel', 'environment', 'options', 'when', 'input', 'post', 'tools', 'failFast'],
        agent: ['label', 'docker'],
        docker: ['image', 'label', 'args', 'reuseNode'],
        environment: ['credentials'],
        input: ['message', 'id', 'ok', 'submitter', 'submitterParameter'],
        when: ['beforeAgent', 'beforeInput', 'beforeOptions', 'branch', 'expression', 'not', 'allOf', 'anyOf', 'changeRequest', 'buildingTag', 'environment'],
        options: ['timeout', 'timestamps', 'disableConcurrentBuilds', 'buildDiscarder', 'logRotator', 'skipDefaultCheckout', 'lock', 'disableResume', 'retry', 'quietPeriod', 'skipStagesAfterUnstable', 'parallelsAlwaysFailFast', 'preserveStashes'],
        post: ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful', 'cleanup'],
    ]
    /** Options that take parameters, and which. */
    private static final Map<String, List<String>> OPTION_PARAMETERS = [
        timeout: ['time', 'unit', 'activity'], lock: ['resource', 'label', 'quantity', 'inversePrecedence', 'extra', 'variable'],
        disableConcurrentBuilds: ['abortPrevious'], logRotator: ['numToKeepStr', 'daysToKeepStr', 'artifactNumToKeepStr', 'artifactDaysToKeepStr'],
        preserveStashes: ['buildCount'],
    ]
    private static final List<String> ONLY_WHOLE_PIPELINE = ['disableConcurrentBuilds', 'buildDiscarder', 'quietPeriod', 'disableResume', 'parallelsAlwaysFailFast', 'preserveStashes', 'skipStagesAfterUnstable']
    private static final List<String> POST_ORDER = ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful', 'cleanup']
    private static final List<String> UNITS = ['SECONDS', 'MINUTES', 'HOURS', 'DAYS']
    private final Recorder recorder
    private final Build build
    /** What the innermost section that is being read has gathered. */
    private final List<Map> gathered = []
    private boolean skipCheckout = false

    Declarative(Recorder recorder) {
        this.recorder = recorder
        this.build = recorder.build
    }

    void pipeline(Closure body) {
        Map whole = read('pipeline', body)
        ['agent', 'stages'].each { if (!whole.containsKey(it)) throw new Refused("pipeline { } has no ${it}") }
        def options = optionsOf(whole, 'pipeline')
        skipCheckout = options.containsKey('skipDefaultCheckout')
        attempt(null) {
            inOptions(options) {
                onAgent(whole) { inEnvironment(whole) { attempt(whole.post as Closure) { stages(whole.stages as Closure) } } }
            }
        }
    }

    /** A name used as a directive while a section is being read. */
    def directive(String section, String name, List arguments) {
        if (!(name in DIRECTIVES[section])) throw new Refused("unknown directive \"${name}\" in ${section} { }; there are ${DIRECTIVES[section].join(', ')}")
        Map into = gathered.last()
        if (section in ['stages', 'parallel']) {
            if (arguments.size() != 2) throw new Refused("stage('name') { } expected in ${section} { }")
            if (into.containsKey(arguments[0])) throw new Refused("two stages are called \"${arguments[0]}\"")
            into[arguments[0]] = arguments[1]
            return null
        }
        if (section == 'environment') return { String variable -> build.bindInEnvironment(arguments.first() as String, variable) }
        if (section == 'when') return condition(name, arguments, into)
        if (section == 'options') option(name, arguments)
        if (name == 'logRotator') return "logRotator(${arguments.first()})".toString()
        if (into.containsKey(name)) throw new Refused("\"${name}\" stands twice in ${section} { }")
        if (name == 'docker' && arguments.last() instanceof Closure) into.label = read('docker', arguments.last() as Closure).label ?: 'docker'
        into[name] = arguments.empty ? true : arguments.last()
        null
    }

    private static void option(String name, List arguments) {
        def allowed = OPTION_PARAMETERS[name] ?: []
        def given = arguments.empty || !(arguments.first() instanceof Map) ? [:] : arguments.first() as Map
        def unknown = given.keySet() - allowed
        if (!unknown.empty) throw new Refused("option ${name} has no parameter ${unknown.join(', ')}")
        if (given.unit && !(given.unit in UNITS)) throw new Refused("option ${name}: unit \"${given.unit}\" is none of ${UNITS.join(', ')}")
    }

    private Map read(String section, Closure body) {
        gathered.add([:])
        recorder.within(section, body)
        gathered.remove(gathered.size() - 1)
    }

    private Map optionsOf(Map owner, String section) {
        Map options = owner.options ? read('options', owner.options as Closure) : [:]
        if (section == 'stage') options.keySet().each {
            if (it in ONLY_WHOLE_PIPELINE) throw new Refused("option ${it} belongs to the whole pipeline, not to a stage")
        }
        options
    }

    private void stages(Closure body) {
        read('stages', body).each { String name, Closure stage -> runStage(name, stage) }
    }

    private void runStage(String name, Closure body) {
        def outer = build.stage
        build.stage = name
        try {
            Map stage = read('stage', body)
            if (['steps', 'stages', 'parallel'].count { stage.containsKey(it) } != 1) throw new Refused("stage \"${name}\" needs steps, stages or parallel, and one of them only")
            if (settings().stopBefore == name) throw new Interrupted("before stage ${name}")
            if (build.result in ['FAILURE', 'ABORTED', 'NOT_BUILT']) {
                recorder.event('stage', [state: 'skipped', why: 'an earlier stage did not succeed'])
                return
            }
            recorder.event('stage', [state: 'started'])
            stageInOrder(stage)
            recorder.event('stage', [state: 'ended', result: build.result])
        } finally {
            build.stage = outer
        }
    }

    private Map settings() {
        build.settings
    }

    /** Options, input, agent, environment, steps; `when` before the one of them that its before… names, else before the steps. */
    private void stageInOrder(Map stage) {
        Map when = stage.when ? read('when', stage.when as Closure) : null
        def point = when == null ? 'never' : when.beforeOptions ? 'options' : when.beforeInput ? 'input' : when.beforeAgent ? 'agent' : 'steps'
        def passes = { String here -> point != here || passed(when) }
        attempt(null) {
            if (!passes('options')) return
            inOptions(optionsOf(stage, 'stage')) {
                if (!passes('input')) return
                build.withLayer(input(stage)) {
                    if (!passes('agent')) return
                    onAgent(stage) {
                        inEnvironment(stage) { if (passes('steps')) attempt(stage.post as Closure) { content(stage) } }
                    }
                }
            }
        }
    }

    private void content(Map stage) {
        if (stage.stages) stages(stage.stages as Closure)
        else if (stage.parallel) read('parallel', stage.parallel as Closure).each { String name, Closure body -> runStage(name, body) }
        else recorder.within('steps', stage.steps as Closure)
    }

    /** Runs a part; what ends the build is noted, not passed on, and then `post` runs. */
    private void attempt(Closure post, Closure part) {
        try {
            part.call()
        } catch (Ended ended) {
            build.worsen(ended.result)
            recorder.event('failed', [result: ended.result, why: ended.message])
        }
        if (post == null) return
        Map conditions = read('post', post)
        POST_ORDER.findAll { conditions.containsKey(it) && holds(it) }.each { condition ->
            recorder.event('post', [condition: condition])
            attempt(null) { recorder.within('steps', conditions[condition] as Closure) }
        }
    }

    private boolean holds(String condition) {
        switch (condition) {
            case ['always', 'cleanup']: return true
            case 'unsuccessful': return build.result != 'SUCCESS'
            case ['success', 'failure', 'unstable', 'aborted']: return build.result == condition.toUpperCase()
            // There is no build before this one.
            default: return condition == 'changed'
        }
    }

    private void inOptions(Map options, Closure body) {
        options.each { name, value -> recorder.event('option', [name: name, value: value instanceof Closure ? null : value]) }
        if (options.lock) recorder.steps.call('lock', [options.lock, body])
        else body.call()
    }

    private void onAgent(Map owner, Closure body) {
        def agent = owner.agent
        if (agent == null || agent == 'none') {
            body.call()
            return
        }
        def label = agent == 'any' ? 'any' : read('agent', agent as Closure).label as String
        def skip = skipCheckout || (owner.options && optionsOf(owner, 'agent').containsKey('skipDefaultCheckout'))
        build.onAgent(label, !skip, body)
    }

    private void inEnvironment(Map owner, Closure body) {
        build.withLayer([:]) {
            if (owner.environment) {
                gathered.add([:])
                recorder.within('environment', owner.environment as Closure)
                gathered.remove(gathered.size() - 1)
            }
            body.call()
        }
    }

    private condition(String name, List arguments, Map into) {
        if (name.startsWith('before')) return into[name] = arguments.first()
        def holds
        switch (name) {
            case 'branch': holds = globMatches(arguments.first() as String, build.env.BRANCH_NAME); break
            case 'expression': holds = { recorder.within('steps', arguments.first() as Closure) as boolean }; break
            case 'changeRequest': holds = build.env.CHANGE_ID != null; break
            case 'buildingTag': holds = build.env.TAG_NAME != null; break
            case 'environment': holds = build.environment()[arguments.first().name] == arguments.first().value; break
            default:
                def inner = read('when', arguments.first() as Closure)
                holds = { name == 'not' ? !passes(inner) : name == 'allOf' ? passes(inner) : inner.conditions.any { value(it) } }
        }
        into.conditions = (into.conditions ?: []) + [holds]
    }

    private static boolean value(Object holds) {
        holds instanceof Closure ? holds.call() : holds
    }

    private static boolean passes(Map when) {
        (when.conditions ?: []).every { value(it) }
    }

    private boolean passed(Map when) {
        def result = passes(when)
        recorder.event('when', [passed: result])
        result
    }

    private static boolean globMatches(String glob, String text) {
        text ==~ glob.replace('.', '\\.').replace('**', '\u0000').replace('*', '[^/]*').replace('\u0000', '.*')
    }

    /** Asks for the approval that the stage begins with; answers the variables it sets. */
    private Map<String, String> input(Map stage) {
        if (!stage.input) return [:]
        Map input = read('input', stage.input as Closure)
        if (!input.message) throw new Refused('input { } has no message')
        if (build.executors > 0) throw new Refused("the input of stage \"${build.stage}\" holds ${build.executors} executor while it waits: agent none around it, its own agent in the stage")
        def answer = settings().inputs?.get(build.stage)
        recorder.event('input', [message: String.valueOf(input.message), id: input.id, submitter: input.submitter?.toString(), executors: build.executors, answer: answer])
        // Whoever answers it does so at the stand-in for Jenkins, which holds the reply back until then.
        if (answer?.answeredAt) answer = new JsonSlurper().parseText(new URL("${answer.answeredAt}?id=${input.id}").getText('UTF-8'))
        if (answer == null) throw new Interrupted('nobody answered the input')
        if (!answer.approve) throw new Ended('ABORTED', "Rejected by ${answer.reject ?: answer.abort}")
        if (!input.submitterParameter) return [:]
        build.foreign.add(input.submitterParameter as String)
        [(input.submitterParameter as String): answer.approve as String]
    }
}
