// Executes Jenkinsfiles without Jenkins, one after the other: every step is recorded, `sh` lines run for real. Each argument is a
// JSON file of settings (`BuildSettings` in run-jenkinsfile.ts); what happens is printed, one JSON object a line.
// Exit 0: they were executed, whatever the builds' results. Exit 3: Jenkins would have refused a file, or our rules do.
import groovy.json.JsonSlurper

System.exit(args.collect { new Recorder(new JsonSlurper().parse(new File(it), 'UTF-8') as Map).execute() }.max())
