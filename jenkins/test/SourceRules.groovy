import org.codehaus.groovy.ast.ClassCodeVisitorSupport
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.expr.BinaryExpression
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.DeclarationExpression
import org.codehaus.groovy.ast.expr.Expression
import org.codehaus.groovy.ast.expr.GStringExpression
import org.codehaus.groovy.ast.expr.MapExpression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.ast.expr.TupleExpression
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer

/** What can be judged from the text alone: where Declarative allows no code, and how shell text must be written. */
class SourceRules extends CompilationCustomizer {
    static final SHELLS = ['sh', 'bat', 'powershell', 'pwsh']
    final List<String> problems = []
    final List<String> libraries = []

    SourceRules() {
        super(CompilePhase.CONVERSION)
    }

    @Override
    void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        new Visitor(source, this).visitClass(type)
    }

    static List<Expression> argumentsOf(MethodCallExpression call) {
        call.arguments instanceof TupleExpression ? ((TupleExpression) call.arguments).expressions : [call.arguments]
    }

    static ClosureExpression bodyOf(MethodCallExpression call) {
        def last = argumentsOf(call).isEmpty() ? null : argumentsOf(call).last()
        last instanceof ClosureExpression ? (ClosureExpression) last : null
    }

    static class Visitor extends ClassCodeVisitorSupport {
        private final SourceUnit source
        private final SourceRules rules
        private final List<String> lines

        Visitor(SourceUnit source, SourceRules rules) {
            this.source = source
            this.rules = rules
            this.lines = source.source.reader.readLines()
        }

        @Override
        protected SourceUnit getSourceUnit() {
            source
        }

        @Override
        void visitDeclarationExpression(DeclarationExpression expression) {
            expression.annotations.findAll { it.classNode.nameWithoutPackage == 'Library' }.each {
                def value = it.getMember('value')
                rules.libraries.addAll(value instanceof ConstantExpression ? [value.value] : value.expressions*.value)
            }
            super.visitDeclarationExpression(expression)
        }

        @Override
        void visitMethodCallExpression(MethodCallExpression call) {
            if (call.implicitThis && call.methodAsString in SHELLS) shell(call)
            if (call.implicitThis && call.methodAsString == 'pipeline' && bodyOf(call)) declarative(bodyOf(call), 'pipeline')
            super.visitMethodCallExpression(call)
        }

        /** Groovy must not build shell text: what it inserts, a secret too, would be read by the shell as code. */
        private void shell(MethodCallExpression call) {
            def script = argumentsOf(call).isEmpty() ? null : argumentsOf(call).first()
            if (script instanceof MapExpression)
                script = script.mapEntryExpressions.find { it.keyExpression.text == 'script' }?.valueExpression
            if (script instanceof GStringExpression)
                problem(script, "${call.methodAsString} with a double-quoted text that Groovy fills in; write it in single quotes and let the shell read its environment")
            else if (!(script instanceof ConstantExpression))
                problem(call, "${call.methodAsString} with a text that is put together; write one single-quoted text")
            else if (at(script).startsWith('"'))
                problem(script, "${call.methodAsString} with a double-quoted text; write it in single quotes")
        }

        /** In a section of Declarative, only directives; inside `script { }` anything. */
        private void declarative(ClosureExpression body, String section) {
            if (section in ['script', 'expression']) return
            statementsOf(body).each { statement ->
                def expression = statement instanceof ExpressionStatement ? statement.expression : null
                if (section == 'environment') {
                    assignment(statement, expression)
                } else if (expression instanceof MethodCallExpression && expression.implicitThis) {
                    def inner = bodyOf(expression)
                    if (inner) declarative(inner, expression.methodAsString)
                } else {
                    problem(statement, "\"${at(statement)}\" stands in ${section} { }, where only directives and steps may; other code belongs into script { }")
                }
            }
        }

        private void assignment(Statement statement, Expression expression) {
            def value = expression instanceof BinaryExpression && expression.operation.text == '=' ? expression.rightExpression : null
            def fine = value instanceof GStringExpression || value instanceof MethodCallExpression ||
                (value instanceof ConstantExpression && value.value instanceof String)
            if (!fine) problem(statement, "\"${at(statement)}\" stands in environment { }: NAME = 'text', \"text\" or a call, as Jenkins demands")
        }

        private static List<Statement> statementsOf(ClosureExpression body) {
            body.code instanceof BlockStatement ? ((BlockStatement) body.code).statements : [body.code]
        }

        private String at(node) {
            def line = node.lineNumber > 0 && node.lineNumber <= lines.size() ? lines[node.lineNumber - 1] : ''
            node.columnNumber > 0 && node.columnNumber <= line.size() ? line.substring(node.columnNumber - 1).trim() : line.trim()
        }

        private void problem(node, String message) {
            rules.problems.add("${new File(source.name).name}:${node.lineNumber}: ${message}".toString())
        }
    }
}
