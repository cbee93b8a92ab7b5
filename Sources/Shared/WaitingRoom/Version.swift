/// The version that both programs report.
package let anteroomVersion = "0.1.0"
