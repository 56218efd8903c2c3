/**
 * The whole pipeline of a project: checks every branch, takes what reaches the main branch to dev, to test and, once somebody approved
 * it, to prod. The block holds the project's own checks, as steps. Settings, all optional:
 *
 *   url        where Sluice runs                                   default: SLUICE_URL of the Jenkins installation
 *   label      agents that have the command line of Sluice         default: 'sluice'
 *   branch     what is promoted                                    default: 'main'
 *   view       id of the credential that may look                  default: 'sluice-view'
 *   promote    id of the credential that may promote               default: 'sluice-promote'
 *   submitter  who may approve: users and groups, with commas      default: 'sluice-approvers'
 *   alertTo    who gets a mail when a build fails                  default: nobody
 */
def call(Map given = [:], Closure checks = null) {
  def defaults = [
    url: env.SLUICE_URL ?: '', label: 'sluice', branch: 'main', view: 'sluice-view', promote: 'sluice-promote',
    submitter: 'sluice-approvers', alertTo: '',
  ]
  def unknown = given.keySet() - defaults.keySet()
  if (unknown) {
    error("sluicePromote has no setting ${unknown.join(', ')}; it has ${defaults.keySet().join(', ')}")
  }
  def settings = defaults + given

  pipeline {
    agent none

    environment {
      SLUICE_URL = "${settings.url}"
    }

    options {
      timestamps()
      timeout(time: 5, unit: 'DAYS')
      buildDiscarder(logRotator(numToKeepStr: '100'))
      preserveStashes(buildCount: 10)
    }

    stages {
      stage('Check') {
        agent { label "${settings.label}" }
        options { timeout(time: 60, unit: 'MINUTES') }
        steps {
          script {
            if (checks) {
              checks()
            }
          }
          sh 'sluice validate --format junit > validate.xml'
          sh 'sluice test --junit tests.xml'
          withCredentials([string(credentialsId: settings.view, variable: 'SLUICE_TOKEN')]) {
            sh 'sluice plan --to prod -o markdown > plan.md'
          }
        }
        post {
          always {
            junit testResults: 'validate.xml, tests.xml', allowEmptyResults: true
            archiveArtifacts artifacts: 'plan.md', allowEmptyArchive: true
          }
        }
      }

      stage('Release') {
        when { beforeAgent true; branch "${settings.branch}" }
        agent { label "${settings.label}" }
        options { timeout(time: 15, unit: 'MINUTES') }
        steps {
          milestone(ordinal: 10, label: 'release')
          withCredentials([string(credentialsId: settings.promote, variable: 'SLUICE_TOKEN')]) {
            sh 'sluice release create --commit "$GIT_COMMIT" -o json > release.json'
            sh 'sluice release create --commit "$GIT_COMMIT" -o name > release.txt'
            sh 'sluice test --record --release "$(cat release.txt)"'
          }
          archiveArtifacts artifacts: 'release.json', fingerprint: true
          stash name: 'release', includes: 'release.txt'
        }
      }

      stage('dev') {
        when { beforeOptions true; branch "${settings.branch}" }
        agent { label "${settings.label}" }
        options { lock(resource: 'sluice-dev'); timeout(time: 60, unit: 'MINUTES'); skipDefaultCheckout() }
        steps {
          milestone(ordinal: 20, label: 'dev')
          unstash 'release'
          withCredentials([string(credentialsId: settings.promote, variable: 'SLUICE_TOKEN')]) {
            sh 'sluice promote --to dev --release "$(cat release.txt)" --wait --timeout 45m --junit dev.xml -o json > dev.json'
          }
        }
        post {
          always {
            junit testResults: 'dev.xml', allowEmptyResults: true
            archiveArtifacts artifacts: 'dev.json', allowEmptyArchive: true
          }
        }
      }

      stage('test') {
        when { beforeOptions true; branch "${settings.branch}" }
        agent { label "${settings.label}" }
        options { lock(resource: 'sluice-test'); timeout(time: 3, unit: 'HOURS'); skipDefaultCheckout() }
        steps {
          milestone(ordinal: 30, label: 'test')
          unstash 'release'
          withCredentials([string(credentialsId: settings.promote, variable: 'SLUICE_TOKEN')]) {
            sh 'sluice promote --to test --release "$(cat release.txt)" --wait --timeout 150m --junit test.xml -o json > test.json'
          }
        }
        post {
          always {
            junit testResults: 'test.xml', allowEmptyResults: true
            archiveArtifacts artifacts: 'test.json', allowEmptyArchive: true
          }
        }
      }

      // So that approving it in Sluice answers the input, where the server can (SLUICE_ANSWERS_INPUT).
      stage('ask for prod') {
        when { beforeAgent true; branch "${settings.branch}"; environment name: 'SLUICE_ANSWERS_INPUT', value: 'true' }
        agent { label "${settings.label}" }
        options { timeout(time: 15, unit: 'MINUTES'); skipDefaultCheckout() }
        steps {
          unstash 'release'
          withCredentials([string(credentialsId: settings.promote, variable: 'SLUICE_TOKEN')]) {
            sh 'sluice promote --to prod --release "$(cat release.txt)" --input Prod -o json > asked.json'
          }
        }
      }

      stage('prod') {
        when { beforeInput true; beforeAgent true; branch "${settings.branch}" }
        input {
          id 'Prod'
          message 'Promote to prod?'
          ok 'Promote'
          submitter "${settings.submitter}"
          submitterParameter 'APPROVER'
        }
        agent { label "${settings.label}" }
        options { timeout(time: 4, unit: 'DAYS'); skipDefaultCheckout() }
        steps {
          milestone(ordinal: 40, label: 'prod')
          unstash 'release'
          lock(resource: 'sluice-prod') {
            withCredentials([string(credentialsId: settings.promote, variable: 'SLUICE_TOKEN')]) {
              sh 'sluice promote --to prod --release "$(cat release.txt)" --input Prod --approver "$APPROVER" --wait --timeout 150m --junit prod.xml -o json > prod.json'
            }
          }
        }
        post {
          always {
            junit testResults: 'prod.xml', allowEmptyResults: true
            archiveArtifacts artifacts: 'prod.json', allowEmptyArchive: true
          }
        }
      }
    }

    post {
      failure {
        script {
          if (settings.alertTo) {
            mail to: settings.alertTo, subject: "${env.JOB_NAME} #${env.BUILD_NUMBER} failed", body: "What failed, and the gates of the promotion: ${env.BUILD_URL}"
          }
        }
      }
    }
  }
}
