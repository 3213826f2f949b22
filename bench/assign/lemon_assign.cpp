/*
 * The peer of crm.assign(): the same instance solved by LEMON's NetworkSimplex.
 *
 * usage: lemon_assign CAPACITIES EDGES
 * CAPACITIES has lines "holder,capacity", EDGES "customer,holder,benefit", all
 * of them whole numbers.  Prints the customers assigned, the total benefit, the
 * seconds of the processor that NetworkSimplex::run() took, building the graph
 * not counted, and the most memory of the process in kB.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <unordered_map>
#include <vector>

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>
#include <sys/resource.h>

using Graph = lemon::SmartDigraph;
using Simplex = lemon::NetworkSimplex<Graph, int64_t, int64_t>;

int
main(int argc, char **argv)
{
	FILE	   *capacities = argc == 3 ? fopen(argv[1], "r") : nullptr;
	FILE	   *edges = argc == 3 ? fopen(argv[2], "r") : nullptr;

	if (!capacities || !edges)
	{
		fprintf(stderr, "usage: lemon_assign CAPACITIES EDGES\n");
		return 2;
	}

	Graph		graph;
	Graph::Node sink = graph.addNode();
	std::unordered_map<long long, Graph::Node> holders;
	std::unordered_map<long long, Graph::Node> customers;
	std::vector<Graph::Arc> arcs;
	std::vector<std::pair<Graph::Arc, int64_t>> outlets;
	std::vector<int64_t> benefits;
	long long	customer,
				holder,
				value;
	int64_t		largest = 0;

	while (fscanf(capacities, "%lld,%lld", &holder, &value) == 2)
	{
		holders[holder] = graph.addNode();
		outlets.push_back({graph.addArc(holders[holder], sink), value});
	}
	while (fscanf(edges, "%lld,%lld,%lld", &customer, &holder, &value) == 3)
	{
		auto		found = customers.find(customer);

		if (found == customers.end())
			found = customers.emplace(customer, graph.addNode()).first;
		arcs.push_back(graph.addArc(found->second, holders.at(holder)));
		benefits.push_back(value);
		largest = std::max(largest, (int64_t) llabs(value));
	}

	/* leaving a customer out costs more than any exchange can bring */
	int64_t		penalty = 2 * largest * (int64_t) (std::min(holders.size(), customers.size()) + 2) + 1;
	std::vector<Graph::Arc> unassigned;

	for (const auto &c : customers)
		unassigned.push_back(graph.addArc(c.second, sink));

	Graph::ArcMap<int64_t> upper(graph, 1);
	Graph::ArcMap<int64_t> cost(graph, 0);
	Graph::NodeMap<int64_t> supply(graph, 0);

	for (size_t e = 0; e < arcs.size(); e++)
		cost[arcs[e]] = -benefits[e];
	for (Graph::Arc a : unassigned)
		cost[a] = penalty;
	for (const auto &o : outlets)
		upper[o.first] = o.second;
	for (const auto &c : customers)
		supply[c.second] = 1;
	supply[sink] = -(int64_t) customers.size();

	Simplex		simplex(graph);

	simplex.upperMap(upper).costMap(cost).supplyMap(supply);

	clock_t		start = clock();

	if (simplex.run() != Simplex::OPTIMAL)
	{
		fprintf(stderr, "no optimum found\n");
		return 1;
	}

	double		seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
	int64_t		assigned = 0;
	int64_t		total = 0;

	for (size_t e = 0; e < arcs.size(); e++)
	{
		if (simplex.flow(arcs[e]) > 0)
		{
			assigned++;
			total += benefits[e];
		}
	}

	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%lld %lld %.3f %ld\n", (long long) assigned, (long long) total, seconds, usage.ru_maxrss);
	return 0;
}
